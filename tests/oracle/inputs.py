"""What went into a recorded plan: all that a rule may look at."""

from __future__ import annotations

from dataclasses import dataclass

from planner.evaluate import Situation
from planner.job import Job, Port
from planner.job_key import job_key
from planner.observed import Node
from planner.ports import asked_ports
from planner.recorded import JobState
from tests.oracle.node import NodeFile
from tests.oracle.state import JobEntry, StateFile


@dataclass(frozen=True, slots=True)
class Inputs:
    """The planned job, what was registered and ran, and the node."""

    job: Job
    state: StateFile
    situation: Situation
    node_file: NodeFile

    @property
    def node(self) -> Node:
        """The one node."""
        return self.node_file.node()

    @property
    def entry(self) -> JobEntry | None:
        """What is recorded of the planned job."""
        return next((j for j in self.state.jobs if j.id == self.job.id), None)

    @property
    def registered(self) -> Job | None:
        """The job's newest registered spec."""
        current = self.recorded.current
        return current.job if current else None

    @property
    def recorded(self) -> JobState:
        """The job's records."""
        return self.situation.recorded.job(self._key)

    @property
    def _key(self) -> str:
        return job_key(self.job.id, self.job.namespace)

    def shared_port(self, group: str) -> Port | None:
        """The first static port of the group, on a node that has two addresses for it."""
        found = self.job.group(group)
        if not self.node_file.dual_stack or self.state.ipv4_only or found is None:
            return None
        ports = (p for p in asked_ports(found).static if not p.ignore_collision)
        return next(ports, None)

    def held_by_others(self, value: int) -> bool:
        """Whether another job's running allocation has that port."""
        others = (s for k, s in self.situation.recorded.jobs.items() if k != self._key)
        live = (a for state in others for a in state.allocs if not a.terminal)
        return any(p.value == value for a in live for p in a.ports)
