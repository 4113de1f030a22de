"""Limits on allocations beside each other: distinct_hosts and distinct_property."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from planner.capacity import Load
from planner.constraint import DISTINCT_HOSTS, DISTINCT_PROPERTY, resolved
from planner.job import Constraint, Job, TaskGroup
from planner.observed import Node
from planner.uses import Uses


@dataclass(slots=True, kw_only=True)
class Property:
    """How many allocations use which value of `target`; at most `limit` may use one."""

    target: str
    limit: int
    whole_job: bool
    uses: Uses = field(default_factory=Uses)

    def value(self, node: Node) -> str | None:
        """Return the node's value of the property, or None."""
        return resolved(self.target, node)

    def obstacle(self, value: str | None) -> str:
        """Return why nothing more may be placed at `value`, or an empty string."""
        if value is None:
            return f'missing property "{self.target}"'
        if (used := self.uses[value]) < self.limit:
            return ""
        return f"{DISTINCT_PROPERTY}: {self.target}={value} used by {used} allocs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """The limits that hold for one group of a job."""

    job: str
    group: str
    hosts_in_job: bool = False
    hosts_in_group: bool = False
    properties: tuple[Property, ...] = ()

    def host_obstacle(self, load: Load) -> str:
        """Return ``distinct_hosts`` where the node has one allocation too many already."""
        if not (self.hosts_in_job or self.hosts_in_group):
            return ""
        taken = (self.hosts_in_job and load.jobs[self.job] > 0) or (
            self.hosts_in_group and load.groups[self.job, self.group] > 0
        )
        return DISTINCT_HOSTS if taken else ""

    def obstacle(self, load: Load) -> str:
        """Return what keeps one more allocation off the node, or an empty string."""
        found = (p.obstacle(p.value(load.node)) for p in self.properties)
        return self.host_obstacle(load) or next((o for o in found if o), "")

    def count(self, loads: Iterable[Load]) -> None:
        """Count the job's allocations that stand on `loads`."""
        for load in loads:
            if load.jobs[self.job]:
                beside = load.groups[self.job, self.group], load.jobs[self.job]
                self.count_each(Uses.stand, load.node, *beside)

    def count_each(
        self, how: Callable[[Uses, str | None, int], None], node: Node, in_group: int, in_job: int
    ) -> None:
        """Count that many allocations of the group, and of the whole job, for each limit."""
        for entry in self.properties:
            how(entry.uses, entry.value(node), in_job if entry.whole_job else in_group)


def distinct(job: Job, group: TaskGroup, key: str) -> Distinct:
    """Return the limits for `group`, with nothing counted yet; `key` is the job's key."""
    return Distinct(
        job=key,
        group=group.name,
        hosts_in_job=any(map(_is_enabled, job.constraints)),
        hosts_in_group=any(map(_is_enabled, group.constraints)),
        properties=(
            *_properties(job.constraints, whole_job=True),
            *_properties(group.constraints, whole_job=False),
        ),
    )


def _is_enabled(constraint: Constraint) -> bool:
    return constraint.operand == DISTINCT_HOSTS and constraint.r_target in ("", "true")


def _properties(constraints: Iterable[Constraint], *, whole_job: bool) -> list[Property]:
    return [
        Property(target=c.l_target, limit=_limit(c.r_target), whole_job=whole_job)
        for c in constraints
        if c.operand == DISTINCT_PROPERTY
    ]


def _limit(text: str) -> int:
    return int(text) if text.isdigit() else 1
