"""Which allocations of a group are created, updated, replaced, stopped or left alone, and why.

Works by name index, as Nomad does; nodes are chosen afterwards, by `planner.schedule`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

from planner.action import Action
from planner.disconnect import original_stays
from planner.group_case import (
    Decision,
    GroupCase,
    allowance,
    count_change,
    current,
    decided_before,
    fresh,
    held_back,
    in_its_place,
    is_going_on,
    left,
    migrated,
    resumed,
    stands_in,
    stop,
    surplus_reason,
    updated,
    waiting_reason,
)
from planner.job import TaskGroup
from planner.recorded import ClientStatus
from planner.standing import RECONNECTED, Pile, Standing, View
from planner.start_first import ordered, without_pairs

# Of allocations with one name the first kind stays.
_STAYS = (
    Pile.UNKNOWN,
    Pile.CUT_OFF,
    Pile.KEEP,
    Pile.RESUME,
    Pile.MIGRATE,
    Pile.RESCHEDULE,
    Pile.REPLACE,
)
# Nobody can tell their hosts anything.
_AWAY = (Pile.UNKNOWN, Pile.CUT_OFF)


def reconciled(case: GroupCase) -> tuple[Decision, ...]:
    """Decide about every allocation of one group."""
    case, pairs = without_pairs(case)
    case, spent = _without_spent_canaries(case)
    case, trials = _without_trials(case)
    case, away = _without_cut_off(case)
    case, returned = _without_returned(case)
    case, doubles = _without_doubles(case)
    case, surplus = _without_surplus(case)
    group = case.group
    updates = _updates(case, group) if group else []
    creates = _creates(case) if group else [left(s, s.reason) for s in case.of(Pile.CUT_OFF)]
    destructive = [d for d in updates if d.change.action is Action.DESTRUCTIVE]
    canaries = _canaries(case, destructive, trials)
    is_trying = bool(canaries) or case.view.is_trying(case.name)
    allowed = 0 if is_trying else allowance(case, destructive) - _fresh(creates)
    held = {d.change.alloc for d in destructive[max(allowed, 0) :]}
    why = waiting_reason(case, is_trying=is_trying)
    return (
        *decided_before(case),
        *pairs,
        *spent,
        *map(_tried, trials),
        *away,
        *returned,
        *doubles,
        *surplus,
        *map(migrated, case.of(Pile.MIGRATE)),
        *canaries,
        *(_replacements(creates) if is_trying else creates),
        *(held_back(d, why) if d.change.alloc in held else ordered(case, d) for d in updates),
    )


def _without_spent_canaries(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Stop canaries of another version, and those whose deployment has failed."""
    view = case.view
    spent = [
        s
        for s in case.of(Pile.KEEP, Pile.RESUME, Pile.REPLACE, Pile.RESCHEDULE)
        if view.is_canary(s.record) and not _is_trial(view, s)
    ]
    stops = [stop(s, "a canary that was never promoted") for s in spent]
    return _without(case, spent), stops


def _is_trial(view: View, standing: Standing) -> bool:
    """Whether it is a canary of the deployment that goes on."""
    deployment, record = view.deployment, standing.record
    tried = view.is_canary(record) and view.is_trying(record.group)
    return deployment is not None and tried and record.deployment == deployment.id


def _without_trials(case: GroupCase) -> tuple[GroupCase, list[Standing]]:
    """Set aside the canaries that wait for their promotion: they count beside the others."""
    trials = [s for s in case.of(*_STAYS) if _is_trial(case.view, s)]
    return _without(case, trials), trials


def _tried(standing: Standing) -> Decision:
    """Keep a canary, or start another one in its place."""
    if standing.pile is Pile.RESUME:
        return resumed(standing)
    if standing.pile is Pile.MIGRATE:
        return migrated(standing)
    if standing.pile in (Pile.REPLACE, Pile.RESCHEDULE):
        return in_its_place(standing)
    return left(standing, standing.reason) if standing.pile in _AWAY else current(standing)


def _without_cut_off(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Set aside what is on an unknown host while another one stands in for it."""
    others = _by_previous(case)
    away = [
        s
        for s in case.of(Pile.UNKNOWN, Pile.CUT_OFF, Pile.REPLACE)
        if s.record.next in others and (s.lost or s.pile is not Pile.REPLACE)
    ]
    told = [stop(s, s.reason) if s.lost else left(s, s.reason) for s in away]
    return _without(case, away), told


def _without_returned(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Of an allocation whose host is back and the one that stood in for it one goes on."""
    others = _by_previous(case)
    stops: list[tuple[Standing, Decision]] = []
    for standing in case.of(Pile.KEEP):
        other = others.get(standing.record.next)
        if other is None or other.pile is not Pile.KEEP or standing.status.terminal:
            continue
        group = case.view.own_job(standing.record).group(case.name)
        policy = group.disconnect if group else None
        if other.status.terminal or original_stays(standing.record, other.record, policy):
            stops.append((other, stop(other, f"{standing.record.node} is back", RECONNECTED)))
        else:
            stops.append((standing, stop(standing, "another one has taken its place")))
    return _without(case, [s for s, _ in stops]), [d for _, d in stops]


def _by_previous(case: GroupCase) -> dict[str, Standing]:
    """What is there in the place of another one that has not ended, by its own id."""
    piles = (Pile.KEEP, Pile.RESUME, Pile.RESCHEDULE, Pile.MIGRATE)
    return {s.record.id: s for s in case.of(*piles) if s.record.previous}


def _without_doubles(case: GroupCase) -> tuple[GroupCase, list[Decision]]:
    """Keep one allocation of each name; what is on an unknown host can't be stopped."""
    first: dict[str, Standing] = {}
    doubles: list[Standing] = []
    for pile in _STAYS:
        for standing in reversed(case.of(pile)):
            name = standing.record.name
            if first.setdefault(name, standing) is not standing and pile not in _AWAY:
                doubles.append(standing)
    stops = [stop(s, f"another allocation is {s.record.name}") for s in doubles]
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
    room = max(case.count - len(steady) - len(case.of(*_AWAY)), 0)
    stopped += settled[room:]
    reason = surplus_reason(case)
    stops = [left(s, s.reason) if _has_completed(s) else stop(s, reason) for s in stopped]
    return _without(case, stopped), stops


def _has_completed(standing: Standing) -> bool:
    return standing.status is ClientStatus.COMPLETE and standing.pile is Pile.KEEP


def _updates(case: GroupCase, group: TaskGroup) -> list[Decision]:
    kept = (updated(case, group, s) for s in case.of(Pile.KEEP))
    return sorted(kept, key=lambda d: d.change.action is Action.IGNORE)


def _creates(case: GroupCase) -> list[Decision]:
    """A deployment that failed or is paused places nothing but what takes a lost one's place."""
    instead = [in_its_place(s) for s in case.of(Pile.REPLACE, Pile.RESCHEDULE)]
    instead += _for_cut_off(case)
    if not is_going_on(case):
        return [*map(resumed, case.of(Pile.RESUME)), *instead]
    return [*map(resumed, case.of(Pile.RESUME)), *instead, *_new(case)]


def _for_cut_off(case: GroupCase) -> Iterator[Decision]:
    """Another one beside each that is cut off, unless there are enough without it."""
    steady = case.of(Pile.KEEP, Pile.RESUME, Pile.MIGRATE, Pile.UNKNOWN)
    missing = case.count - len(steady)
    for number, standing in enumerate(case.of(Pile.CUT_OFF)):
        yield stands_in(standing) if number < missing else left(standing, standing.reason)


def _new(case: GroupCase) -> Iterator[Decision]:
    """Fill up to the count; a periodic or parameterized job as such is only registered."""
    job = case.view.job
    if (job.periodic or job.parameterized_job) and not case.view.registers:
        return
    standing = case.of(*_STAYS)
    missing = case.count - len(standing)
    taken = {s.record.index for s in standing}
    free = (i for i in range(case.count) if i not in taken)
    reason = count_change(case) or "new allocation"
    for index, _ in zip(free, range(missing), strict=False):
        yield fresh(case, Action.CREATE, index, reason)


def _fresh(creates: list[Decision]) -> int:
    """Resumed ones are among the deployment's unhealthy allocations already."""
    return sum(d.wanted is not None for d in creates)


def _canaries(
    case: GroupCase, destructive: list[Decision], trials: list[Standing]
) -> list[Decision]:
    update = case.group.update if case.group else None
    # Where all are updated at once there is no deployment that could find a canary good.
    if update is None or not update.max_parallel or not destructive or not is_going_on(case):
        return []
    missing = update.canary - len(trials)
    if missing <= 0 or case.view.is_promoted(case.name):
        return []
    tried = {s.record.index for s in trials}
    taken = {s.record.index for s in case.of(*_STAYS)} | tried
    first = (i for i in _indexes(destructive) if i not in tried)
    others = (i for i in range(case.count + update.canary) if i not in taken)
    reason = f"{destructive[0].change.reason}, tried by a canary"
    return [fresh(case, Action.CANARY, i, reason) for i in islice(chain(first, others), missing)]


def _indexes(decisions: Iterable[Decision]) -> Iterator[int]:
    for decision in decisions:
        name = decision.change.name
        yield int(name[name.rindex("[") + 1 : -1])


def _replacements(creates: list[Decision]) -> list[Decision]:
    """Fresh names wait for the promotion; what only takes the place of an old one does not."""
    return [d for d in creates if d.change.replaces or d.change.beside or d.wanted is None]
