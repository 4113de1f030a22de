"""Signals while an apply is at work: one lets it end the step in hand, another stops it at once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

_ASKED = "Stopping after the step in hand. Once more stops at once."


@dataclass(slots=True)
class Stopping:
    """Whether somebody has asked for the end."""

    asked: bool = False

    def __call__(self) -> bool:
        """Return whether to begin nothing more."""
        return self.asked


def _as_sigint(number: int, frame: object) -> None:
    del number, frame
    signal.raise_signal(signal.SIGINT)


@contextmanager
def sigterm_as_sigint() -> Generator[None]:
    """Take SIGTERM, with which runners cancel a job, as Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _as_sigint)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable(say: Callable[[str], None]) -> Generator[Stopping]:
    """Count Ctrl-C while this lasts: the first is noted, the next acts as it did before.

    `say` is told what the first one does.
    """
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGINT)

    def restore() -> None:
        if loop.remove_signal_handler(signal.SIGINT):
            signal.signal(signal.SIGINT, before)

    def interrupted() -> None:
        if stopping.asked:
            restore()
            os.kill(os.getpid(), signal.SIGINT)
            return
        stopping.asked = True
        say(_ASKED)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield stopping
    finally:
        restore()
