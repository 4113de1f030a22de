"""What became of allocations and deployments, as one sees it who looks often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from executors.sim.clock import EPOCH
from planner.client import client_status
from planner.health import with_verdict
from planner.job import SECOND
from planner.observed import NodeStatus, TaskState
from planner.recorded import AllocRecord, JobState, Recorded
from planner.system import TYPES
from tests.oracle.timelines.world import World

# Seconds between two looks.
POLL = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocMoment:
    """An allocation at a moment, `t` seconds after the start."""

    t: float
    desired: str
    description: str
    client: str
    healthy: bool | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentMoment:
    """A deployment at a moment."""

    t: float
    status: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMoment:
    """Something that happened to a task."""

    t: float
    type: str


@dataclass(slots=True, kw_only=True)
class AllocStory:
    """One allocation from its first moment to its last."""

    label: str
    job: str
    record: AllocRecord
    moments: list[AllocMoment] = field(default_factory=list[AllocMoment])
    tasks: Mapping[str, TaskState] = field(default_factory=dict[str, TaskState])

    def events(self, task: str) -> list[EventMoment]:
        """What happened to one of its tasks."""
        state = self.tasks.get(task)
        return [EventMoment(t=seconds(e.time), type=e.type) for e in state.events] if state else []


@dataclass(slots=True, kw_only=True)
class DeploymentStory:
    """One deployment from its first moment to its last."""

    job: str
    version: int
    moments: list[DeploymentMoment] = field(default_factory=list[DeploymentMoment])


@dataclass(slots=True)
class Chronicle:
    """Keeps what changes from look to look. Labels are numbered in order of creation."""

    world: World
    allocs: dict[str, AllocStory] = field(default_factory=dict[str, AllocStory])
    deployments: dict[str, DeploymentStory] = field(default_factory=dict[str, DeploymentStory])
    _numbers: dict[str, int] = field(default_factory=dict[str, int])
    _heads: Mapping[str, str] = field(default_factory=dict[str, str])
    _recorded: Recorded = field(default_factory=Recorded)

    def look(self) -> None:
        """Note what is new."""
        t = self.world.clock.monotonic()
        heads = self.world.heads()
        if heads != self._heads:
            self._heads = heads
            self._recorded = self.world.ledger.read().folded()
        for state in self._recorded.jobs.values():
            for record in _in_order(state.allocs):
                self._note(t, state, record)
            for deployment in state.deployments:
                story = self.deployments.setdefault(
                    deployment.id,
                    DeploymentStory(job=state.job_id, version=deployment.job_version),
                )
                moment = (deployment.status.value, deployment.description)
                if not story.moments or moment != _deployed(story.moments[-1]):
                    story.moments.append(
                        DeploymentMoment(t=t, status=moment[0], description=moment[1])
                    )

    def _note(self, t: float, state: JobState, record: AllocRecord) -> None:
        story = self.allocs.get(record.id)
        if story is None:
            label = self._label(state, record)
            story = AllocStory(label=label, job=state.job_id, record=record)
            self.allocs[record.id] = story
        seen = self.world.fleet.observed.allocs.get(record.id)
        seen = self.world.fleet.shown(seen) if seen else None
        node = NodeStatus.UNKNOWN if record.node in self.world.fleet.down else NodeStatus.READY
        client = client_status(record, seen, node)
        story.record = record
        if seen is not None:
            story.tasks = with_verdict(record, seen.tasks)
        moment = AllocMoment(
            t=t,
            desired=record.desired.value,
            description=record.desired_description,
            client=client.value,
            healthy=record.healthy,
            version=record.job_version,
        )
        if not story.moments or _told(moment) != _told(story.moments[-1]):
            story.moments.append(moment)

    def _label(self, state: JobState, record: AllocRecord) -> str:
        current = state.version(record.job_version) or state.current
        by_node = current is not None and current.job.type in TYPES
        name = f"{record.name}@{record.node}" if by_node else record.name
        self._numbers[name] = self._numbers.get(name, 0) + 1
        return f"{name}#{self._numbers[name]}"


def _in_order(allocs: Sequence[AllocRecord]) -> Iterator[AllocRecord]:
    return iter(sorted(allocs, key=lambda a: (a.created, a.id)))


def _told(moment: AllocMoment) -> tuple[object, ...]:
    m = moment
    return m.desired, m.description, m.client, m.healthy, m.version


def _deployed(moment: DeploymentMoment) -> tuple[str, str]:
    return moment.status, moment.description


def seconds(time: int) -> float:
    """A time of the world (ns) as seconds after the start."""
    return (time - EPOCH) / SECOND
