"""Starts that wait for one host: those that come while a step is on its way go together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from executors.guard import StartRequest
from planner.errors import OrchError

# Allocations in one step: what it starts is started under the host's lock, others wait meanwhile.
_MOST = 10


class Starter(Protocol):
    """Starts allocations in one guarded step; see `Guard.start_all`."""

    async def start_all(self, requests: Sequence[StartRequest]) -> tuple[OrchError | None, ...]:
        """Return for each, in order, why it was refused, or None."""
        ...


@dataclass(slots=True)
class _Waiting:
    request: StartRequest
    sent: bool = False
    error: BaseException | None = None


@dataclass(slots=True)
class Starts:
    """The starts of one host, one guarded step at a time."""

    waiting: list[_Waiting] = field(default_factory=list[_Waiting])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, starter: Starter, request: StartRequest) -> None:
        """Start an allocation, with others that wait; raises what its host said of it alone."""
        # A name that no file can have is this one's error alone.
        request.files()
        mine = _Waiting(request)
        self.waiting.append(mine)
        try:
            async with self.turn:
                # Others that were decided at the same time get here before it is sent.
                await asyncio.sleep(0)
                if not mine.sent:
                    await self._send(starter)
        finally:
            if not mine.sent:
                self.waiting.remove(mine)
        if mine.error is not None:
            raise mine.error

    async def _send(self, starter: Starter) -> None:
        batch, self.waiting = self.waiting[:_MOST], self.waiting[_MOST:]
        for each in batch:
            each.sent = True
        try:
            ends = await starter.start_all([each.request for each in batch])
        except BaseException as e:
            for each in batch:
                each.error = e
            if not isinstance(e, OrchError):
                raise
        else:
            for each, end in zip(batch, ends, strict=True):
                each.error = end
