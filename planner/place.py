"""Carries out a job's decisions on a working copy of the fleet, so that each gets its node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from planner.action import Action
from planner.capacity import Fleet, Holding, Load, asked
from planner.distinct import Distinct, distinct
from planner.failure import PlacementFailure
from planner.feasible import Known, is_candidate, obstacle
from planner.group_case import Decision
from planner.job import TaskGroup
from planner.plan import Change, GroupPlan
from planner.schedule import Placement, Ranking, Wanted
from planner.standing import Standing, View
from planner.update_order import UpdateOrder
from planner.uses import Uses

# How a node is chosen for one allocation; None where there is none.
Chooser = Callable[[Ranking, Wanted], Placement | None]

_ORDER = {action: i for i, action in enumerate(Action)}


@dataclass(slots=True, kw_only=True)
class InPlace:
    """Whether allocations may stay where they are, although their spec has changed.

    `unfit` collects the (group, node) pairs that do not meet the new spec's constraints.
    """

    view: View
    fleet: Fleet
    choose: Chooser = Ranking.place
    unfit: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    limits: dict[str, Distinct] = field(default_factory=dict[str, Distinct])

    def obstacle(self, group: TaskGroup, found: Standing) -> str:
        """Return why the allocation can't stay on its node under the new spec, or nothing."""
        load, job = self.fleet.loads[found.record.node], self.view.job
        if not is_candidate(job, load.node):
            return f"{load.node.name} is not in the job's datacenters and node pool any more"
        if label := obstacle(job, group, load.node):
            self.unfit.add((group.name, load.node.name))
            return f"{load.node.name} is left out by {label.strip()!r}"
        limits = self._limits(group)
        own = self.fleet.holdings[found.record.id]
        self.fleet.release(own.id)
        reason = _crowded(limits, load) or self._too_full(group, load)
        self.fleet.hold(own)
        return reason

    def _limits(self, group: TaskGroup) -> Distinct:
        if group.name not in self.limits:
            limits = distinct(self.view.job, group, self.view.state.key)
            if limits.properties:
                limits.count(self.fleet.loads.values())
            self.limits[group.name] = limits
        return self.limits[group.name]

    def _too_full(self, group: TaskGroup, load: Load) -> str:
        lacking = load.lacks(asked(group))
        return f"{load.node.name} has too little {lacking}" if lacking else ""


def _crowded(limits: Distinct, load: Load) -> str:
    """Say what of limits on allocations beside each other keeps one off the node it has left."""
    limits.count_each(Uses.leave, load.node, 1, 1)
    label = limits.obstacle(load)
    limits.count_each(Uses.leave, load.node, -1, -1)
    return f"{load.node.name} is left out by {label!r}" if label else ""


def placed_groups(
    decided: Mapping[str, tuple[Decision, ...]], view: View, in_place: InPlace
) -> tuple[GroupPlan, ...]:
    """Return the groups' plans, with a node for each change that needs one and can have one.

    Replacements come first and give back the room of what they replace; what is placed stays in
    the fleet for the jobs that are planned later.
    """
    work = _Work(view=view, in_place=in_place)
    everything = [d for decisions in decided.values() for d in decisions]
    work.settle(d.change for d in everything)
    pairs = (Action.DESTRUCTIVE, Action.MIGRATE)
    placed = {
        id(d): work.replaced(d) for d in everything if d.change.action in pairs or d.change.replaces
    }
    placed |= {id(d): work.placed(d) for d in everything if d.wanted and id(d) not in placed}
    changes = {
        name: tuple(
            placed.get(id(d), d.change)
            for d in decisions
            if not _is_vain(d, placed.get(id(d), d.change))
        )
        for name, decisions in decided.items()
    }
    return tuple(
        GroupPlan(name=name, changes=_in_order(found), failure=work.failure(name, found))
        for name, found in changes.items()
    )


def _is_vain(decision: Decision, change: Change) -> bool:
    """Whether a node that was to have its own allocation can't have it: that is no change."""
    wanted = decision.wanted
    only = wanted is not None and bool(wanted.only)
    return only and change.action is Action.CREATE and not change.node


def _in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda c: (_ORDER[c.action], _index(c), c.alloc, c.replaces)))


def _index(change: Change) -> int:
    return int(change.name[change.name.rindex("[") + 1 : -1])


def _stopped_first(change: Change) -> Change:
    reason = f"{change.reason}; stops first: no room for both"
    return replace(change, start_first=False, reason=reason)


@dataclass(slots=True, kw_only=True)
class _Work:
    view: View
    in_place: InPlace
    rankings: dict[str, Ranking] = field(default_factory=dict[str, Ranking])
    failures: dict[str, PlacementFailure] = field(default_factory=dict[str, PlacementFailure])
    kept: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    gone: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    # nodes that the constraints of a group leave out, where each node is to have its own
    left_out: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    # nodes that each group was held against to place something
    looked: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def settle(self, changes: Iterable[Change]) -> None:
        """Give back what is stopped, and note what is kept."""
        for change in changes:
            if change.action is Action.DESTROY:
                own = self.in_place.fleet.release(change.alloc)
                self.gone += [(change.group, own.node)] if own else []
            if change.action is Action.IN_PLACE:
                self.kept.append((change.group, change.node))

    def replaced(self, decision: Decision) -> Change:
        """Place a replacement; where there is no room, an old one that is updated keeps its own."""
        if (group := self.view.job.group(decision.change.group)) is not None:
            self._ranking(group)
        if decision.change.start_first:
            beside = self._beside(decision)
            if beside.node or self.view.order is UpdateOrder.START_FIRST:
                return beside
            decision = replace(decision, change=_stopped_first(decision.change))
        # What a host has otherwise than it was left there holds its room until it is stopped.
        old = decision.change.alloc or decision.change.replaces
        own = self.in_place.fleet.release(old)
        if own is not None:
            self._tell(own, -1)
        change = self.placed(decision)
        stays = change.action is not Action.MIGRATE
        if own is not None and not change.node and stays:
            self.in_place.fleet.hold(own)
            self._tell(own, 1)
        return change

    def _beside(self, decision: Decision) -> Change:
        """Place a replacement while the old one keeps its room; a failure counts if it is final."""
        group = decision.change.group
        known = self.failures.get(group)
        change = self.placed(decision)
        if not change.node and self.view.order is not UpdateOrder.START_FIRST:
            self.failures.pop(group, None)
            self.failures |= {group: known} if known is not None else {}
        return change

    def placed(self, decision: Decision) -> Change:
        """Return the change with its node; without one, where no node can have it."""
        change, wanted = decision.change, decision.wanted
        group = self.view.job.group(change.group)
        if wanted is None or group is None:
            return change
        if not wanted.only and self._has_failed(change.group):
            return change
        ranking = self._ranking(group)
        placement = self.in_place.choose(ranking, wanted)
        if placement is None:
            self._failed(ranking, wanted)
        if not wanted.only and group.name not in self.looked:
            self.looked[group.name] = ranking.candidates
        if placement is None:
            return change
        self._tell(placement.holding, 1, but=group.name)
        return replace(change, node=placement.node, ports=placement.ports, scores=placement.scores)

    def _failed(self, ranking: Ranking, wanted: Wanted) -> None:
        group = ranking.group.name
        if wanted.only and ranking.left_out(wanted.only):
            self.left_out.setdefault(group, set()).add(wanted.only)
        elif not self._has_failed(group):
            only = frozenset({wanted.only}) if wanted.only else None
            self.failures[group] = ranking.failure(self._known(group), only)

    def _known(self, group: str) -> Known:
        unfit = self.in_place.unfit
        own = frozenset(n for g, n in unfit if g == group)
        return Known(
            group=own | self.looked.get(group, frozenset()),
            job=frozenset(n for _, n in unfit).union(*self.looked.values()),
        )

    def failure(self, group: str, changes: Iterable[Change]) -> PlacementFailure | None:
        """Return why the group could not be placed in full.

        Nodes that a system job's constraints leave out are no failure, unless all of them are.
        """
        nodes = self.left_out.get(group)
        if group in self.failures or not nodes or any(c.node for c in changes):
            return self.failures.get(group)
        filtered = self.rankings[group].failure(Known(), frozenset(nodes))
        return replace(filtered, nodes_in_pool=0, node_pool="", nodes_available={})

    def _has_failed(self, group: str) -> bool:
        """After a group's first failure the others are only counted."""
        failure = self.failures.get(group)
        if failure is None:
            return False
        more = failure.coalesced_failures + 1
        self.failures[group] = replace(failure, coalesced_failures=more)
        return True

    def _ranking(self, group: TaskGroup) -> Ranking:
        if group.name not in self.rankings:
            view = self.view
            ranking = Ranking(self.in_place.fleet, view.job, group, view.state.key)
            ranking.count_gone(self.gone)
            ranking.count_kept(self.kept)
            self.rankings[group.name] = ranking
        return self.rankings[group.name]

    def _tell(self, holding: Holding, number: int, but: str = "") -> None:
        for name, ranking in self.rankings.items():
            if name != but:
                ranking.moved(holding, number)
