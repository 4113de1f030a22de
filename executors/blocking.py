"""Where calls that block are run: in a thread, or in turns with simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Blocking(Protocol):
    """Runs a call that blocks without holding up what else goes on."""

    def __call__(self, call: Callable[[], T], /) -> Coroutine[Any, Any, T]:
        """Return, or raise, what the call does. It goes on where the wait for it is cancelled."""
        ...


async def in_thread(call: Callable[[], T], /) -> T:
    """Run the call in a thread of its own."""
    return await asyncio.to_thread(call)
