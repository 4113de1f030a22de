"""Where a watched answer is shown: redrawn on a terminal, else printed whenever it changes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from gitops.cli.answer import Answer
from gitops.cli.say import say, say_json
from gitops.jobspec import marks
from gitops.view.moment import timestamp

if TYPE_CHECKING:
    from rich.live import Live


class Screen(Protocol):
    """Shows one answer after the other."""

    def show(self, answer: Answer) -> None:
        """Show what there is to say now."""
        ...


@contextmanager
def screen(*, json: bool) -> Generator[Screen]:
    """Return what stdout is: a terminal is redrawn, programs get a line of JSON a change."""
    dumb = os.environ.get("TERM") == "dumb"
    if json or dumb or not sys.stdout.isatty():
        yield _Changes(json=json)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False, markup=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        yield _Redrawn(live)


class _Changes:
    """Prints an answer that says something new; that things have become older is no news."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._last: Any = None

    def show(self, answer: Answer) -> None:
        if answer.data == self._last:
            return
        if self._json:
            say_json(answer.data, indent=None)
        else:
            before = "" if self._last is None else "\n"
            say(f"{before}==> {timestamp(time.time_ns())}\n{answer.text}")
        self._last = answer.data


class _Redrawn:
    """Draws over what was there; what does not fit is cut off."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, answer: Answer) -> None:
        from rich.text import Text

        text = f"{timestamp(time.time_ns())}\n\n{marks.shown(answer.text).rstrip()}"
        self._live.update(Text(text, no_wrap=True, overflow="crop"), refresh=True)
