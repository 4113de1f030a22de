"""Suppositions for a plan: hosts that are down, other counts. Such a plan is only shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from executors.sim.what_if import supposed
from gitops.planning import Desired, Look
from planner.errors import OrchError
from planner.job import Job
from planner.job_key import job_key
from planner.observed import NodeStatus

_SHAPE = "It is given like -what-if=host=h3:down,job=web:count=9 (job=web.api: group api of it)."
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What is supposed: the status of hosts, and the count of groups, by job or ``job.group``."""

    hosts: Mapping[str, NodeStatus] = field(default_factory=dict[str, NodeStatus])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def words(self) -> tuple[str, ...]:
        """Each supposition in words."""
        return (
            *(f"host {name} is {status}" for name, status in sorted(self.hosts.items())),
            *(f"the count of {name} is {count}" for name, count in sorted(self.counts.items())),
        )


def what_if(text: str) -> WhatIf:
    """Read ``host=NAME:STATUS`` and ``job=NAME:count=N``, separated by commas.

    Raises `OrchError` for anything else.
    """
    hosts: dict[str, NodeStatus] = {}
    counts: dict[str, int] = {}
    for part in text.split(",") if text else ():
        kind, _, rest = part.strip().partition("=")
        name, _, value = rest.partition(":")
        if kind == "host" and name and value in set(NodeStatus):
            hosts[name] = NodeStatus(value)
        elif kind == "job" and name and (count := _count(value)) is not None:
            counts[name] = count
        else:
            raise OrchError(f"-what-if: {part.strip()!r} is no supposition", _SHAPE)
    return WhatIf(hosts=hosts, counts=counts)


def _count(value: str) -> int | None:
    digits = value.removeprefix("count=")
    is_number = digits != value and digits.isascii() and digits.isdigit()
    return int(digits[:6]) if is_number and int(digits[:6]) <= _MOST else None


def with_counts(desired: Desired, counts: Mapping[str, int]) -> Desired:
    """Return the desired state with these counts. Raises `OrchError` where a name is not there."""
    left = dict(counts)
    jobs = tuple((path, _counted(job, left)) for path, job in desired.jobs)
    if left:
        raise OrchError(
            f"-what-if: there is no job, or group of one, {min(left)!r} among those planned", _SHAPE
        )
    return replace(desired, jobs=jobs)


def _counted(job: Job, left: dict[str, int]) -> Job:
    key = job_key(job.id, job.namespace)
    groups = job.task_groups
    for name in [n for n in left if n == key or n.startswith(f"{key}.")]:
        wanted = name.removeprefix(key).removeprefix(".")
        found = [g for g in groups if g.name == wanted or (not wanted and len(groups) == 1)]
        if not wanted and len(groups) > 1:
            raise OrchError(
                f"-what-if: job {key!r} has several groups: which count is it?",
                f"Name one: job={key}.{groups[0].name}:count={left[name]}",
            )
        if found:
            count = left.pop(name)
            groups = tuple(replace(g, count=count) if g in found else g for g in groups)
    return replace(job, task_groups=groups)


def with_hosts(look: Look, hosts: Mapping[str, NodeStatus]) -> Look:
    """Return the look in which the hosts have these statuses. Raises `OrchError`, as `supposed`."""
    return replace(look, observed=supposed(look.observed, hosts)) if hosts else look
