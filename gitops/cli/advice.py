"""Why no node came into question at all, in words that name the remedy. Decides nothing."""

from __future__ import annotations

from collections.abc import Collection

from planner.observed import Node, NodeStatus
from planner.plan import JobPlan, Plan


def narrowed(targets: Collection[str]) -> list[str]:
    """Return a sentence about a plan that leaves out jobs."""
    if not targets:
        return []
    return [
        "Planned with -target: other jobs are left as they are, those too that have changed or "
        "have left the repository. A plan without it shows them."
    ]


def ineligible(made: Plan, nodes: Collection[Node]) -> list[str]:
    """Return a sentence for each job with a group for which no node was looked at."""
    stranded = [
        plan
        for plan in made.jobs
        if any(g.failure is not None and g.failure.nodes_evaluated == 0 for g in plan.groups)
    ]
    if not stranded:
        return []
    if not nodes:
        return ["The inventory has no hosts: add one, or start one here with 'orch dev'."]
    ready = [n for n in nodes if n.status is NodeStatus.READY]
    if not ready:
        return ["None of the hosts is ready."]
    return [_elsewhere(plan, ready) for plan in stranded]


def _elsewhere(plan: JobPlan, ready: Collection[Node]) -> str:
    there = sorted({f"{n.datacenter}/{n.node_pool}" for n in ready})
    wanted = [f"{dc}/{plan.job.node_pool}" for dc in plan.job.datacenters]
    return (
        f'Job "{plan.key}" is for {", ".join(wanted)} (datacenter/node pool); '
        f"the hosts that are ready are in {', '.join(there)}."
    )
