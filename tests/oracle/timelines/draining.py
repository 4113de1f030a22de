"""A node that is drained in a scenario, at the pace that orch's planner says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from gitops.ledger.protocol import Guard
from gitops.planning import Look, looked
from planner.drain import Drained, next_to_leave, staying
from planner.job import Migrate
from planner.node_record import DrainStrategy, NodeRecord
from planner.observed import TaskPhase
from planner.orders import NODE_DRAIN
from planner.recorded import AllocRecord
from planner.status import Statuses, statuses
from tests.oracle.timelines.server import Order, Server, as_recorded

# Seconds between two looks at the node, and before the first one.
_PAUSE = 0.5


@dataclass(slots=True, kw_only=True)
class Draining:
    """One drain, round after round, until nothing is left that may leave."""

    server: Server
    node: str
    strategy: DrainStrategy
    moved: set[str] = field(default_factory=set[str])

    async def run(self) -> None:
        """Move away what runs on the node; it stays ineligible."""
        self._record(drain=self.strategy, eligible=False)
        began = self.server.world.clock.monotonic()
        while True:
            await asyncio.sleep(_PAUSE)
            look = await self._look()
            drained = self._drained(look, self.server.world.clock.monotonic() - began)
            if not staying(look.recorded, drained):
                break
            chosen = next_to_leave(look.recorded, drained) - self.moved
            for state in look.recorded.jobs.values():
                mine = frozenset(a.id for a in state.allocs if a.id in chosen)
                if mine:
                    order = Order(spec=as_recorded, migrates=mine, trigger=NODE_DRAIN)
                    self.server.ask(state.key, order)
            self.moved |= chosen
        self._record(drain=None)

    async def _look(self) -> Look:
        world = self.server.world
        return looked(world.ledger.read(), await world.fleet.observe(), world.clock.now())

    def _record(self, **fields: object) -> NodeRecord:
        ledger = self.server.world.ledger
        snapshot = ledger.read()
        record = replace(snapshot.recorded.nodes[self.node], **fields)  # type: ignore[arg-type]
        ledger.commit(snapshot, [], [record], message="Drain", guards=list[Guard]())
        return record

    def _drained(self, look: Look, watched: float) -> Drained:
        found: Statuses = {
            k: v for s in look.recorded.jobs.values() for k, v in statuses(s, look.observed).items()
        }
        return Drained(
            node=self.node,
            strategy=self.strategy,
            found=found,
            unproven=frozenset(self._unproven(look)),
            watched=watched,
        )

    def _unproven(self, look: Look) -> list[str]:
        """What took the place of others, and has not run for long enough to count as healthy."""
        return [
            a.id
            for s in look.recorded.jobs.values()
            for a in s.allocs
            if a.previous in self.moved and not a.terminal and not self._is_well(look, a)
        ]

    def _is_well(self, look: Look, alloc: AllocRecord) -> bool:
        seen = look.observed.allocs.get(alloc.id)
        state = next((s for s in look.recorded.jobs.values() if s.alloc(alloc.id)), None)
        group = state.current.job.group(alloc.group) if state and state.current else None
        policy = (group.migrate if group else None) or Migrate()
        return seen is not None and all(
            t.state is TaskPhase.RUNNING and look.now - t.started_at >= policy.min_healthy_time
            for t in seen.tasks.values()
        )
