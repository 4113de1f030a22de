"""Asking on the terminal, without blocking whatever else goes on: Ctrl-C ends it at once."""

from __future__ import annotations

import asyncio
import sys

from planner.errors import OrchError


def can_ask() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def confirmed(question: str) -> bool:
    """Ask; only the word ``yes`` confirms."""
    sys.stdout.write(f"\n{question} Only 'yes' will be accepted: ")
    sys.stdout.flush()
    return (await _line()).strip() == "yes"


async def _line() -> str:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sys.stdin.fileno(), readable)
    try:
        await ready
    finally:
        loop.remove_reader(sys.stdin.fileno())
    # A terminal gives whole lines: what is readable is a line, and this does not wait.
    return sys.stdin.readline()


async def approve(question: str) -> None:
    """Go on if somebody says so. Raises `OrchError` where nobody does, or nobody can be asked."""
    if not can_ask():
        raise OrchError("without a terminal this needs approval; nothing was changed", "Give -yes.")
    if not await confirmed(question):
        raise OrchError("not approved; nothing was changed")
