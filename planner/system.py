"""Which allocations a system or sysbatch job gets: one of each group on every node that takes it.

Works by node instead of by name index, and nothing of it ever moves to another node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from planner.action import Action
from planner.feasible import is_candidate, obstacle
from planner.group_case import (
    Decision,
    GroupCase,
    allowance,
    current,
    decided_before,
    fresh,
    held_back,
    in_its_place,
    left,
    migrated,
    resumed,
    stop,
    surplus_reason,
    updated,
    waiting_reason,
)
from planner.job import TaskGroup
from planner.observed import Node, NodeStatus
from planner.recorded import DeploymentStatus
from planner.standing import TAINTED, Pile, Standing

TYPES = ("system", "sysbatch")
_DECIDED = (Pile.STOPPING, Pile.UNKNOWN, Pile.FINISHED)


def reconciled_by_node(case: GroupCase) -> tuple[Decision, ...]:
    """Decide about every allocation of one group, and about every node that lacks one."""
    group = case.group if case.count else None
    decisions = [*decided_before(case)]
    covered = {s.record.node for s in case.of(Pile.UNKNOWN)}
    for name, standings in _by_node(case).items():
        first, *others = standings
        decisions += [stop(s, f"another one is on {name}") for s in others if not _has_ended(s)]
        decisions.append(_judged(case, group, first))
        covered.add(name)
    if group is not None:
        decisions += _missing(case, covered)
    return tuple(_paced(case, decisions))


def _by_node(case: GroupCase) -> dict[str, list[Standing]]:
    """Return what stands on each node: what lives first, then the newest."""
    found: dict[str, list[Standing]] = {}
    for standing in reversed(case.of(*(p for p in Pile if p not in _DECIDED))):
        found.setdefault(standing.record.node, []).append(standing)
    return {name: sorted(found[name], key=_has_ended) for name in sorted(found)}


def _has_ended(standing: Standing) -> bool:
    return standing.status.terminal


def _judged(case: GroupCase, group: TaskGroup | None, standing: Standing) -> Decision:
    node = case.view.observed.nodes.get(standing.record.node)
    if group is None or node is None:
        reason = surplus_reason(case)
        return left(standing, reason) if _has_ended(standing) else stop(standing, reason)
    if not _is_open(node):
        return _on_closed(case, standing, node)
    if reason := _unwanted(case, group, node):
        return left(standing, reason) if _has_ended(standing) else stop(standing, reason)
    return _here(_on_open(case, group, standing), node)


def _is_open(node: Node) -> bool:
    return node.status is NodeStatus.READY and node.eligible


def _on_closed(case: GroupCase, standing: Standing, node: Node) -> Decision:
    """On a node that takes nothing new what is up to date goes on, and the rest is stopped."""
    if standing.pile is Pile.MIGRATE:
        return stop(standing, f"{node.name} is drained", TAINTED)
    reason = f"{node.name} takes nothing new at the moment"
    if standing.lost:
        return stop(standing, standing.reason)
    if _has_ended(standing) or not case.view.is_outdated(standing.record):
        return left(standing, standing.reason or reason)
    return stop(standing, reason)


def _unwanted(case: GroupCase, group: TaskGroup, node: Node) -> str:
    """Say why the group is not to run on the node, or nothing."""
    if not is_candidate(case.view.job, node):
        return f"{node.name} is not in the job's datacenters and node pool"
    label = obstacle(case.view.job, group, node)
    return f"{node.name} is left out by {label.strip()!r}" if label else ""


def _on_open(case: GroupCase, group: TaskGroup, standing: Standing) -> Decision:
    if case.view.job.type == "sysbatch" and _has_ended(standing):
        return updated(case, group, standing)
    if standing.pile is Pile.RESUME:
        return resumed(standing)
    if standing.pile is Pile.MIGRATE:
        return migrated(standing)
    again = standing.pile in (Pile.REPLACE, Pile.RESCHEDULE)
    if again or (_has_ended(standing) and case.view.is_outdated(standing.record)):
        return in_its_place(standing)
    if not case.view.is_outdated(standing.record):
        return current(standing)
    return updated(case, group, standing)


def _here(decision: Decision, node: Node) -> Decision:
    """Bind what is placed to the node it is about."""
    wanted = decision.wanted
    return replace(decision, wanted=replace(wanted, only=node.name)) if wanted else decision


def _missing(case: GroupCase, covered: set[str]) -> Iterator[Decision]:
    """Start one on each node without; what filters such a node out is found when it is placed."""
    job = case.view.job
    if (job.periodic or job.parameterized_job) and not case.view.registers:
        return
    for name, node in sorted(case.view.observed.nodes.items()):
        if name not in covered and _is_open(node) and is_candidate(job, node):
            yield _here(fresh(case, Action.CREATE, 0, f"{name} has none"), node)


def _paced(case: GroupCase, decisions: list[Decision]) -> Iterator[Decision]:
    """Hold back the updates that are too many for now."""
    destructive = [d for d in decisions if d.change.action is Action.DESTRUCTIVE]
    ready = {id(d) for d in destructive[: max(_allowed(case, destructive), 0)]}
    is_trying = case.view.is_trying(case.name)
    why = waiting_reason(case, is_trying=is_trying)
    for decision in decisions:
        waits = decision.change.action is Action.DESTRUCTIVE and id(decision) not in ready
        yield held_back(decision, why) if waits else decision


def _allowed(case: GroupCase, destructive: list[Decision]) -> int:
    update = case.group.update if case.group else None
    if update is None or not update.max_parallel:
        return len(destructive)
    if case.view.is_trying(case.name):
        return _untried(case)
    allowed = allowance(case, destructive)
    if update.canary and not case.view.is_promoted(case.name):
        # Here canaries are a share of the nodes, in percent.
        allowed = min(allowed, math.ceil(update.canary * len(destructive) / 100))
    return allowed


def _untried(case: GroupCase) -> int:
    """How many nodes are yet to get the canary that their deployment wants there."""
    view, deployment = case.view, case.view.deployment
    progress = deployment.groups.get(case.name) if deployment else None
    if deployment is None or progress is None or deployment.status is not DeploymentStatus.RUNNING:
        return 0
    placed = sum(
        view.is_canary(s.record) and s.record.deployment == deployment.id for s in case.standings
    )
    return progress.desired_canaries - placed
