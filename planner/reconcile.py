"""Which allocations of a group are created, updated, replaced, stopped or left alone, and why.

Works by name index, as Nomad does; nodes are chosen afterwards, by `planner.schedule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from planner.action import Action
from planner.job import TaskGroup
from planner.plan import Change
from planner.recorded import AllocRecord, ClientStatus, DeploymentStatus
from planner.schedule import Wanted
from planner.standing import NOT_NEEDED, UPDATED, Pile, Standing, View
from planner.update import forcing_change, mild_change

# Of allocations with one name the first kind stays.
_STAYS = (
    Pile.UNKNOWN,
    Pile.KEEP,
    Pile.RESUME,
    Pile.MIGRATE,
    Pile.RESCHEDULE,
    Pile.REPLACE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One change; `wanted` says what to place for it, where it needs a node."""

    change: Change
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCase:
    """One group to reconcile. `blocks_in_place` says why an allocation can't stay on its node."""

    view: View
    name: str
    standings: tuple[Standing, ...]
    blocks_in_place: Callable[[TaskGroup, Standing], str]

    @property
    def group(self) -> TaskGroup | None:
        """The group's spec; None where it was removed, or the whole job is to stop."""
        return None if self.view.job.stop else self.view.job.group(self.name)

    @property
    def count(self) -> int:
        """How many allocations are desired."""
        return self.group.count if self.group else 0

    def of(self, *piles: Pile) -> list[Standing]:
        """Return the allocations on these piles, lowest index first."""
        found = (s for s in self.standings if s.pile in piles)
        return sorted(found, key=lambda s: (s.record.index, s.record.created_index, s.record.id))


def reconciled(case: GroupCase) -> tuple[Decision, ...]:
    """Decide about every allocation of one group."""
    case, doubles = _without_doubles(case)
    case, surplus = _without_surplus(case)
    group = case.group
    updates = _updates(case, group) if group else []
    creates = _creates(case) if group else []
    destructive = [d for d in updates if d.change.action is Action.DESTRUCTIVE]
    canaries = _canaries(case, destructive)
    allowed = 0 if canaries else _allowance(case, destructive) - _fresh(creates)
    held = {d.change.alloc for d in destructive[max(allowed, 0) :]}
    why = _waiting_reason(case, canaries)
    return (
        *_ignored(case),
        *doubles,
        *surplus,
        *map(_migrated, case.of(Pile.MIGRATE)),
        *canaries,
        *(_surplus_canary_creates(case, creates) if canaries else creates),
        *(_held(d, why) if d.change.alloc in held else d for d in updates),
    )


def _change(action: Action, standing: Standing, reason: str) -> Change:
    record = standing.record
    return Change(
        action=action,
        name=record.name,
        group=record.group,
        reason=reason,
        alloc=record.id,
        node=record.node,
        ports=record.ports,
    )


def _stop(standing: Standing, reason: str, description: str = NOT_NEEDED) -> Decision:
    change = _change(Action.DESTROY, standing, reason)
    return Decision(change=replace(change, ports=(), stop_description=description))


def _ignore(standing: Standing, reason: str) -> Decision:
    return Decision(change=_change(Action.IGNORE, standing, reason))


def _ignored(case: GroupCase) -> Iterator[Decision]:
    """What was decided before, and what nothing can be done about."""
    for standing in case.of(Pile.STOPPING):
        yield _stop(standing, standing.reason, standing.stop_description)
    for standing in case.of(Pile.UNKNOWN, Pile.FINISHED):
        yield _ignore(standing, standing.reason)


def _without_doubles(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Keep one allocation of each name; what is on an unknown host can't be stopped."""
    first: dict[str, Standing] = {}
    doubles: list[Standing] = []
    for pile in _STAYS:
        for standing in reversed(case.of(pile)):
            name = standing.record.name
            if first.setdefault(name, standing) is not standing and pile is not Pile.UNKNOWN:
                doubles.append(standing)
    stops = [_stop(s, f"another allocation is {s.record.name}") for s in doubles]
    return _without(case, doubles), stops


def _without(case: GroupCase, standings: Iterable[Standing]) -> GroupCase:
    ids = {s.record.id for s in standings}
    return replace(case, standings=tuple(s for s in case.standings if s.record.id not in ids))


def _without_surplus(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Stop what is above the count: the highest names first, the lost and failed before others."""
    settled = case.of(Pile.REPLACE, Pile.RESCHEDULE)
    # Those that are told to stop go first.
    steady = [*case.of(Pile.KEEP, Pile.RESUME), *case.of(Pile.MIGRATE)]
    stopped = steady[case.count :]
    room = max(case.count - len(steady) - len(case.of(Pile.UNKNOWN)), 0)
    stopped += settled[room:]
    reason = _surplus_reason(case)
    stops = [_ignore(s, s.reason) if _has_completed(s) else _stop(s, reason) for s in stopped]
    return _without(case, stopped), stops


def _has_completed(standing: Standing) -> bool:
    return standing.status is ClientStatus.COMPLETE and standing.pile is Pile.KEEP


def _surplus_reason(case: GroupCase) -> str:
    if case.view.job.stop:
        return "job is stopped"
    if case.group is None:
        return "group was removed"
    return _count_change(case) or f"count is {case.count}"


def _count_change(case: GroupCase) -> str:
    current = case.view.state.current
    before = current.job.group(case.name) if current and not current.job.stop else None
    changed = case.view.registers and before is not None and before.count != case.count
    return f"count {before.count} → {case.count}" if before and changed else ""


def _updates(case: GroupCase, group: TaskGroup) -> list[Decision]:
    kept = (_updated(case, group, s) for s in case.of(Pile.KEEP))
    return sorted(kept, key=lambda d: d.change.action is Action.IGNORE)


def _updated(case: GroupCase, group: TaskGroup, standing: Standing) -> Decision:
    record = standing.record
    if not case.view.is_outdated(record):
        return _current(standing)
    forced, mild = _difference(case, record)
    if not forced and standing.status.terminal:
        return _ignore(standing, standing.reason)
    forced = forced or case.blocks_in_place(group, standing)
    if forced:
        return _replaced(standing, forced)
    return Decision(change=_change(Action.IN_PLACE, standing, mild))


def _difference(case: GroupCase, record: AllocRecord) -> tuple[str, str]:
    """Return what forces a new allocation, or else what changes in place."""
    version = case.view.state.version(record.job_version)
    if version is None:
        lost = f"version {record.job_version} of the job is no longer kept"
        if case.view.runs_this(record):
            return "", f"{lost}, but it was started from this spec"
        return lost, ""
    old, new = version.job, case.view.job
    return forcing_change(old, new, case.name), mild_change(old, new, case.name)


def _current(standing: Standing) -> Decision:
    seen = standing.seen
    is_behind = seen is not None and seen.version < standing.record.job_version
    if seen is not None and is_behind and not standing.status.terminal:
        reason = f"{standing.record.node} still has version {seen.version}"
        return Decision(change=_change(Action.IN_PLACE, standing, reason))
    return _ignore(standing, standing.reason or "up to date")


def _replaced(standing: Standing, reason: str) -> Decision:
    change = _change(Action.DESTRUCTIVE, standing, reason)
    record = standing.record
    change = replace(change, node="", previous_node=record.node, ports=(), stop_description=UPDATED)
    return Decision(change=change, wanted=Wanted(name=record.name, prefer=record.node))


def _migrated(standing: Standing) -> Decision:
    """Stop it whatever comes, and place another one of its name."""
    change = _change(Action.MIGRATE, standing, standing.reason)
    change = replace(
        change,
        node="",
        previous_node=standing.record.node,
        ports=(),
        stop_description=standing.stop_description,
    )
    return Decision(change=change, wanted=Wanted(name=standing.record.name))


def _waiting_reason(case: GroupCase, canaries: list[Decision]) -> str:
    deployment = case.view.deployment
    if deployment is not None and deployment.status is not DeploymentStatus.RUNNING:
        return f"its deployment is {deployment.status}"
    return "it is tried by canaries first" if canaries else "others are updated first"


def _held(decision: Decision, why: str) -> Decision:
    change = decision.change
    reason = f"{change.reason}, but {why}"
    held = replace(
        change,
        action=Action.IGNORE,
        reason=reason,
        node=change.previous_node,
        previous_node="",
        stop_description="",
    )
    return Decision(change=held)


def _is_going_on(case: GroupCase) -> bool:
    deployment = case.view.deployment
    return deployment is None or deployment.status is DeploymentStatus.RUNNING


def _creates(case: GroupCase) -> list[Decision]:
    """A deployment that failed or is paused places nothing but what takes a lost one's place."""
    instead = [_instead(s) for s in case.of(Pile.REPLACE, Pile.RESCHEDULE)]
    if not _is_going_on(case):
        return [*map(_resumed, case.of(Pile.RESUME)), *instead]
    return [*map(_resumed, case.of(Pile.RESUME)), *instead, *_new(case)]


def _resumed(standing: Standing) -> Decision:
    change = _change(Action.CREATE, standing, standing.reason)
    return Decision(change=replace(change, resumed=True))


def _instead(standing: Standing) -> Decision:
    record = standing.record
    change = Change(
        action=Action.CREATE,
        name=record.name,
        group=record.group,
        reason=f"replaces {record.id[:8]}: {standing.reason}",
        replaces=record.id,
        previous_node=record.node,
        stop_description=standing.stop_description,
    )
    wanted = Wanted(name=record.name, avoid=standing.avoid, prefer=record.node)
    return Decision(change=change, wanted=wanted)


def _new(case: GroupCase) -> Iterator[Decision]:
    """Fill up to the count; a periodic or parameterized job as such is only registered."""
    job = case.view.job
    if (job.periodic or job.parameterized_job) and not case.view.registers:
        return
    standing = case.of(*_STAYS)
    missing = case.count - len(standing)
    taken = {s.record.index for s in standing}
    free = (i for i in range(case.count) if i not in taken)
    reason = _count_change(case) or "new allocation"
    for index, _ in zip(free, range(missing), strict=False):
        yield _fresh_change(case, Action.CREATE, index, reason)


def _fresh_change(case: GroupCase, action: Action, index: int, reason: str) -> Decision:
    name = f"{case.view.job.id}.{case.name}[{index}]"
    change = Change(action=action, name=name, group=case.name, reason=reason)
    return Decision(change=change, wanted=Wanted(name=name))


def _fresh(creates: list[Decision]) -> int:
    """Resumed ones are among the deployment's unhealthy allocations already."""
    return sum(d.wanted is not None for d in creates)


def _allowance(case: GroupCase, destructive: list[Decision]) -> int:
    """Return how many allocations may be newly placed at this moment."""
    update = case.group.update if case.group else None
    deployment = case.view.deployment
    if deployment is not None and deployment.status is not DeploymentStatus.RUNNING:
        return 0
    if update is None or not update.max_parallel or not destructive:
        return case.count
    if deployment is None:
        return update.max_parallel
    standing = (s.record for s in case.of(Pile.KEEP, Pile.RESUME, Pile.UNKNOWN))
    health = [r.healthy for r in standing if r.deployment == deployment.id]
    return 0 if False in health else update.max_parallel - health.count(None)


def _canaries(case: GroupCase, destructive: list[Decision]) -> list[Decision]:
    update = case.group.update if case.group else None
    if update is None or not destructive or not _is_going_on(case):
        return []
    taken = {s.record.index for s in case.of(*_STAYS)}
    first = [int(d.change.name[d.change.name.rindex("[") + 1 : -1]) for d in destructive]
    others = (i for i in range(case.count + update.canary) if i not in taken)
    order = (*first, *others)[: update.canary]
    reason = f"{destructive[0].change.reason}, tried by a canary"
    return [_fresh_change(case, Action.CANARY, i, reason) for i in order]


def _surplus_canary_creates(case: GroupCase, creates: list[Decision]) -> list[Decision]:
    """Fresh names wait for the promotion; what only takes the place of an old one does not."""
    return [d for d in creates if d.change.replaces or d.wanted is None]
