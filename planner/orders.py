"""What a person has told about a job beside its spec, as a begin records it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.job_notes import ScalingEvent, scaling_events
from planner.plan import JobPlan
from planner.recorded import AllocRecord, JobState

JOB_SCALING = "job-scaling"
NODE_DRAIN = "node-drain"
WATCHER = "deployment-watcher"


def trigger(plan: JobPlan) -> str:
    """Return what causes the evaluation of a plan, in Nomad's word."""
    if plan.trigger:
        return plan.trigger
    if plan.job.stop:
        return "job-deregister"
    return "alloc-stop" if plan.migrates and not plan.registers else "job-register"


def told(plan: JobPlan, state: JobState) -> Iterator[AllocRecord]:
    """Yield the allocations of which somebody has said what is to become of them."""
    for alloc in state.allocs:
        if alloc.id in plan.migrates:
            yield replace(alloc, migrate=True)
        elif alloc.id in plan.reschedules:
            yield replace(alloc, force_reschedule=True)


def scaled(plan: JobPlan, state: JobState, now: int) -> tuple[ScalingEvent, ...]:
    """Return the changes of counts to note, where scaling is what the plan is for; `now` in ns."""
    if plan.trigger != JOB_SCALING:
        return ()
    return scaling_events(state.current.job if state.current else None, plan.job, now)
