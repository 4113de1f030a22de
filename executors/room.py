"""Looking again for room, while the deadline of a deployment runs that has found none."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from executors.run import Run
from executors.transport import HostError
from planner.events import Message
from planner.observed import NodeStatus

# Seconds between two looks: others stop or shrink what they run, or give a host back.
_EVERY = 10.0


@dataclass(slots=True, kw_only=True)
class RoomSearch:
    """Waits, on behalf of one job, for what other jobs and other runs may give free."""

    run: Run
    key: str
    # groups of the job with allocations that have no place
    groups: Collection[str] = ()
    _since: float = field(init=False, default=0.0)
    _told: bool = field(init=False, default=False)

    def wanted(self, groups: Collection[str]) -> None:
        """Search from now on for those groups: none where the job has just found what it needs.

        Where a host does not answer nobody can say that there is no room, so none is waited for.
        """
        nodes = self.run.observed.nodes.values()
        hidden = any(n.status is NodeStatus.UNKNOWN for n in nodes)
        before, self.groups = self.groups, () if hidden else groups
        if self.groups and not before:
            self._since = self.run.clock.monotonic()
            self._tell()

    @property
    def goes_on(self) -> bool:
        """Whether there is something to search room for."""
        return bool(self.groups)

    async def looked(self) -> bool:
        """Look again if that is due; return whether it was, so that the job is planned anew."""
        if not self.groups or self.run.clock.monotonic() - self._since < _EVERY:
            return False
        self._since = self.run.clock.monotonic()
        hosts = [n.name for n in self.run.observed.nodes.values() if n.status is NodeStatus.READY]
        await self.run.reread()
        await asyncio.gather(*(self._look_at(h) for h in hosts))
        return True

    async def _look_at(self, host: str) -> None:
        try:
            node, allocs = await self.run.fleet.look(host)
        except HostError as e:
            self.run.lost(host, e.message, e.hint)
            return
        self.run.saw_others(node, allocs)

    def _tell(self) -> None:
        if self._told:
            return
        self._told = True
        names = ", ".join(self.groups)
        text = f"Job {self.key}: no room for all of {names}; waiting for it until the deadline"
        self.run.tell(Message(time=self.run.clock.now(), text=text))
