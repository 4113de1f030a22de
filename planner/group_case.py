"""One group to reconcile, and what can be decided about an allocation of it, with the reason.

What service, batch and system jobs have in common; which of it happens is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from planner.action import Action
from planner.job import TaskGroup
from planner.plan import Change
from planner.recorded import AllocRecord, ClientStatus, DeploymentStatus
from planner.schedule import Wanted
from planner.standing import NOT_NEEDED, UPDATED, Pile, Standing, View
from planner.update import forcing_change, mild_change


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


def change_of(action: Action, standing: Standing, reason: str) -> Change:
    """Return a change of what stands, where it stands."""
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


def stop(standing: Standing, reason: str, description: str = NOT_NEEDED) -> Decision:
    """Stop it; `description` is recorded of it."""
    change = change_of(Action.DESTROY, standing, reason)
    described = description if not standing.lost else standing.stop_description
    change = replace(change, ports=(), stop_description=described, lost=standing.lost)
    return Decision(change=change)


def without_ended(case: GroupCase, decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Stop what runs again though it has ended, before anything else is decided of it."""
    again = {s.record.id: s for s in case.standings if s.runs_again}
    if not again:
        return tuple(decisions)
    others = (d for d in decisions if not {d.change.alloc, d.change.replaces} & again.keys())
    return (*map(_ended, again.values()), *others)


def _ended(standing: Standing) -> Decision:
    reason = f"it has ended, and {standing.record.node} would run it again"
    change = change_of(Action.DESTROY, standing, reason)
    return Decision(change=replace(change, ports=(), ended=True))


def left(standing: Standing, reason: str) -> Decision:
    """Leave it alone."""
    return Decision(change=change_of(Action.IGNORE, standing, reason))


def decided_before(case: GroupCase) -> Iterator[Decision]:
    """What was decided before, and what nothing can be done about."""
    for standing in case.of(Pile.STOPPING):
        yield stop(standing, standing.reason, standing.stop_description)
    for standing in case.of(Pile.UNKNOWN, Pile.FINISHED):
        yield left(standing, standing.reason)


def surplus_reason(case: GroupCase) -> str:
    """Say why there is one too many."""
    if case.view.job.stop:
        return "job is stopped"
    if case.group is None:
        return "group was removed"
    return count_change(case) or f"count is {case.count}"


def count_change(case: GroupCase) -> str:
    """Say how the count of the group changes; nothing where it stays."""
    current = case.view.state.current
    before = current.job.group(case.name) if current and not current.job.stop else None
    changed = case.view.registers and before is not None and before.count != case.count
    return f"count {before.count} → {case.count}" if before and changed else ""


def updated(case: GroupCase, group: TaskGroup, standing: Standing) -> Decision:
    """Bring it to the planned spec: in place, by a new one, or not at all where it is there."""
    record = standing.record
    if not case.view.is_outdated(record):
        return current(standing)
    forced, mild = _difference(case, record)
    if not forced and standing.status.terminal:
        return left(standing, standing.reason)
    forced = forced or case.blocks_in_place(group, standing)
    if forced:
        return replaced(standing, forced)
    return Decision(change=change_of(Action.IN_PLACE, standing, mild))


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


def current(standing: Standing) -> Decision:
    """Leave alone what has the planned spec; where its host does not know that yet, tell it."""
    seen = standing.seen
    is_behind = seen is not None and seen.version < standing.record.job_version
    if seen is not None and is_behind and not standing.status.terminal:
        reason = f"{standing.record.node} still has version {seen.version}"
        return Decision(change=change_of(Action.IN_PLACE, standing, reason))
    if standing.record.client is ClientStatus.LOST and not standing.status.terminal:
        # Recorded, so that it is not taken for lost when its host does not answer again.
        reason = f"{standing.record.node} is back, and nothing has taken its place"
        return Decision(change=change_of(Action.IN_PLACE, standing, reason))
    return left(standing, standing.reason or "up to date")


def replaced(standing: Standing, reason: str) -> Decision:
    """Stop it, and start another of its name, once there is room for that."""
    change = change_of(Action.DESTRUCTIVE, standing, reason)
    record = standing.record
    change = replace(change, node="", previous_node=record.node, ports=(), stop_description=UPDATED)
    return Decision(change=change, wanted=Wanted(name=record.name, prefer=record.node))


def migrated(standing: Standing) -> Decision:
    """Stop it whatever comes, and place another one of its name."""
    change = change_of(Action.MIGRATE, standing, standing.reason)
    change = replace(
        change,
        node="",
        previous_node=standing.record.node,
        ports=(),
        stop_description=standing.stop_description,
    )
    return Decision(change=change, wanted=Wanted(name=standing.record.name))


def held_back(decision: Decision, why: str) -> Decision:
    """Leave alone for now what is to be replaced."""
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


def is_going_on(case: GroupCase) -> bool:
    """Whether no deployment of the planned spec has failed or is paused."""
    deployment = case.view.deployment
    return deployment is None or deployment.status is DeploymentStatus.RUNNING


def resumed(standing: Standing) -> Decision:
    """Start what an interrupted run had decided."""
    change = change_of(Action.CREATE, standing, standing.reason)
    return Decision(change=replace(change, resumed=True))


def in_its_place(standing: Standing) -> Decision:
    """Start another in the place of one that has ended or is lost."""
    record = standing.record
    change = Change(
        action=Action.CREATE,
        name=record.name,
        group=record.group,
        reason=f"replaces {record.id[:8]}: {standing.reason}",
        replaces=record.id,
        previous_node=record.node,
        stop_description=standing.stop_description,
        lost=standing.lost,
    )
    prefer = "" if standing.lost else record.node
    wanted = Wanted(name=record.name, avoid=standing.avoid, prefer=prefer)
    return Decision(change=change, wanted=wanted)


def stands_in(standing: Standing) -> Decision:
    """Start another beside one whose host does not answer, which is not given up yet."""
    record = standing.record
    change = Change(
        action=Action.CREATE,
        name=record.name,
        group=record.group,
        reason=f"stands in for {record.id[:8]}: {standing.reason}",
        beside=record.id,
        previous_node=record.node,
    )
    return Decision(change=change, wanted=Wanted(name=record.name))


def fresh(case: GroupCase, action: Action, index: int, reason: str) -> Decision:
    """Start a new one under a name index."""
    name = f"{case.view.job.id}.{case.name}[{index}]"
    change = Change(action=action, name=name, group=case.name, reason=reason)
    return Decision(change=change, wanted=Wanted(name=name))


def allowance(case: GroupCase, destructive: list[Decision]) -> int:
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


def waiting_reason(case: GroupCase, *, is_trying: bool) -> str:
    """Say why updates wait; `is_trying` where canaries come first."""
    deployment = case.view.deployment
    if deployment is not None and deployment.status is not DeploymentStatus.RUNNING:
        return f"its deployment is {deployment.status}"
    return "it is tried by canaries first" if is_trying else "others are updated first"
