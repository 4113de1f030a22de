"""What hosts and ledger keep and nothing needs any more. Pure: it says, and removes nothing.

Only what this cluster has decided is ever named, and nothing of a job that a run holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from executors.fleet import JobFence
from executors.probe import HostFence, Probe
from gitops.begin import expired
from gitops.ledger.protocol import RunHead, Snapshot
from planner.job_key import job_key
from planner.observed import NodeStatus, Observed
from planner.recorded import AllocRecord, JobState, Recorded
from planner.retention import garbage as ended


class Kind(StrEnum):
    """Kinds of what is left."""

    ALLOCATION = "allocation"
    CONTAINER = "container"
    FENCE = "fence"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that nothing needs: what it is, of which job, and why it can go.

    `recorded` says that the ledger has to forget an allocation first; `fence` is what stands for
    the job on the host; `run` is the run that left it.
    """

    kind: Kind
    id: str
    name: str
    why: str
    host: str = ""
    job: str = ""
    recorded: bool = False
    fence: JobFence | None = None
    run: RunHead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the ledger says now, and what the hosts have shown before that."""

    snapshot: Snapshot
    observed: Observed
    probes: Mapping[str, Probe]
    cluster: str
    recorded: Recorded = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "recorded", self.snapshot.folded())

    def state(self, key: str) -> JobState:
        """The job's records, with what unfinished runs have journalled."""
        return self.recorded.job(key)

    def ready(self) -> Iterator[tuple[str, Probe]]:
        """The hosts that have answered, by name."""
        for name, node in sorted(self.observed.nodes.items()):
            if node.status is NodeStatus.READY and name in self.probes:
                yield name, self.probes[name]


def found(left: Left, dead: Collection[str], now: int) -> list[Item]:
    """Return all that can go; `dead` are ids of runs whose processes are gone, `now` is in ns.

    The ledger must have been read after the hosts: what is begun meanwhile is recorded first.
    """
    allocs = [*_recorded(left), *_unrecorded(left)]
    runs = [
        Item(
            kind=Kind.RUN,
            id=run.id,
            name=f"of {run.info.holder}",
            why="it is over, and holds no job",
            run=run,
        )
        for run in expired(left.snapshot, dead, now)
    ]
    return [*allocs, *_containers(left), *_fences(left, allocs), *runs]


def unrecorded_live(left: Left) -> list[str]:
    """Return the names of allocations that hosts would run and that nobody has recorded."""
    known = _known(left.recorded)
    seen = left.observed.allocs.values()
    return sorted(a.name for a in seen if a.id not in known and a.desired != "stop")


def _known(recorded: Recorded) -> dict[str, AllocRecord]:
    return {a.id: a for s in recorded.jobs.values() for a in s.allocs}


def _recorded(left: Left) -> Iterator[Item]:
    ready = dict(left.ready())
    for key, state in sorted(left.recorded.jobs.items()):
        for alloc in () if state.run else ended(state):
            if alloc.node in ready:
                yield Item(
                    kind=Kind.ALLOCATION,
                    host=alloc.node,
                    id=alloc.id,
                    job=key,
                    name=alloc.name,
                    why=f"stopped, {alloc.client}",
                    recorded=True,
                    fence=_standing(ready[alloc.node], key),
                )


def _unrecorded(left: Left) -> Iterator[Item]:
    known, ready = _known(left.recorded), dict(left.ready())
    for seen in sorted(left.observed.allocs.values(), key=lambda a: (a.node, a.name, a.id)):
        key = job_key(seen.job_id, seen.namespace)
        if seen.id in known or seen.node not in ready or left.state(key).run:
            continue
        if seen.desired == "stop":
            yield Item(
                kind=Kind.ALLOCATION,
                host=seen.node,
                id=seen.id,
                job=key,
                name=seen.name,
                why="stopped, and not recorded",
                fence=_standing(ready[seen.node], key),
            )


def _containers(left: Left) -> Iterator[Item]:
    known = _known(left.recorded)
    held = {a.id for s in left.recorded.jobs.values() if s.run for a in s.allocs}
    for host, probe in left.ready():
        for each in probe.idle:
            alloc = each.said.get("alloc", "")
            needed = alloc in held or (alloc in known and not known[alloc].terminal)
            if each.said.get("cluster") == left.cluster and not needed:
                yield Item(
                    kind=Kind.CONTAINER,
                    host=host,
                    id=each.id,
                    name=each.name,
                    why="no record is bound to it",
                )


def _fences(left: Left, going: Sequence[Item]) -> Iterator[Item]:
    """Fences of jobs of which nothing is left, once what is going is gone.

    Not those as new as a run that may still raise some: what takes their place is a floor for all.
    """
    gone = {item.id for item in going}
    jobs = left.recorded.jobs.values()
    newest = (left.recorded.epoch, min((s.modify_index for s in jobs if s.run), default=1 << 62))
    for host, probe in left.ready():
        staying = {
            job_key(a.job_id, a.namespace)
            for a in left.observed.allocs.values()
            if a.node == host and a.id not in gone
        }
        for key, fence in sorted(probe.fences.items()):
            state = left.state(key)
            needed = state.run or state.versions or key in staying
            if not needed and not state.allocs and (fence.epoch, fence.index) < newest:
                yield Item(
                    kind=Kind.FENCE,
                    host=host,
                    id=key,
                    job=key,
                    name=f"of job {key}",
                    why="the job is forgotten",
                    fence=_standing(probe, key),
                )


def _standing(probe: Probe, key: str) -> JobFence:
    stands = probe.fences.get(key) or probe.floor or HostFence(epoch=0, index=0)
    return JobFence(key=key, epoch=stands.epoch, index=stands.index, commit=stands.commit)
