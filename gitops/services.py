"""Which services run where: what a catalogue would have, worked out from what is recorded. Pure.

An allocation counts from when it was found healthy to when it is decided to stop it: whoever goes
by that reaches nobody who is not up yet, and leaves in time where `shutdown_delay` gives some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.job import Service, TaskGroup
from planner.observed import Observed
from planner.recorded import AllocRecord, ClientStatus, Desired, JobState, Recorded
from planner.status import statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A service of one running allocation; port 0 where the service has none."""

    service: str
    namespace: str
    job_id: str
    tags: tuple[str, ...]
    alloc: AllocRecord
    address: str = ""
    port: int = 0

    @property
    def endpoint(self) -> str:
        """The address and the port, as one text."""
        host = f"[{self.address}]" if ":" in self.address and self.port else self.address
        return f"{host}:{self.port}" if self.port else host


def registrations(recorded: Recorded, observed: Observed) -> list[Registration]:
    """Return the services of all allocations that run and are ready, by name, job, allocation."""
    found = [r for _, s in sorted(recorded.jobs.items()) for r in _of_job(s, observed)]
    return sorted(found, key=lambda r: (r.service, r.namespace, r.job_id, r.alloc.name))


def _of_job(state: JobState, observed: Observed) -> Iterator[Registration]:
    found = statuses(state, observed)
    for alloc in state.allocs:
        version = state.version(alloc.job_version) or state.current
        group = version.job.group(alloc.group) if version else None
        if group is None or found.get(alloc.id) is not ClientStatus.RUNNING or not _is_up(alloc):
            continue
        node = observed.nodes.get(alloc.node)
        for service in _services(group):
            yield _registration(state, alloc, service, node.address if node else "")


def _is_up(alloc: AllocRecord) -> bool:
    """Whether it may be used: to stop it was not decided, nor does a deployment wait for it still.

    What was updated in place has been up before, whatever its deployment waits for.
    """
    if alloc.desired is Desired.STOP:
        return False
    is_first_look = alloc.created_index == alloc.modified_index
    return alloc.healthy is True or not alloc.deployment or not is_first_look


def _services(group: TaskGroup) -> Iterator[Service]:
    yield from group.services
    for task in group.tasks:
        yield from task.services


def _registration(
    state: JobState, alloc: AllocRecord, service: Service, address: str
) -> Registration:
    label = service.port_label
    mapping = next((p for p in alloc.ports if p.label == label), None)
    number = int(label) if label.isdecimal() else 0
    return Registration(
        service=service.name,
        namespace=state.namespace,
        job_id=state.job_id,
        tags=service.canary_tags if alloc.canary and service.canary_tags else service.tags,
        alloc=alloc,
        address=service.address or (mapping.host_ip if mapping else "") or address,
        port=mapping.value if mapping else number,
    )
