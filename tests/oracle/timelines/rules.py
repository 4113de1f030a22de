"""Where orch differs on purpose from a recorded timeline, or chance has decided what was recorded.

A rule looks at inputs only: specs, commands, and what was recorded; never at names, nor at what
orch did. Each id has a paragraph in docs/differences.md.
"""

from __future__ import annotations

from tests.oracle.timelines.files import (
    AllocChange,
    AllocEntry,
    DeploymentChange,
    DeploymentEntry,
)
from tests.oracle.timelines.replay import Scenario

CHILDREN = "children-of-jobs"
BY_ITSELF = "stops-by-itself"
HEALTH = "health-outside-deployments"
DELAYED = "pending-while-delayed"
PURGED = "purge-at-once"
AGAIN = "failed-system-again"
AGENT = "agent-events"
SYSTEM_BACK = "system-reverts-watched"
BATCH = "drained-batch-goes-on"
COUNT_UP = "canary-and-count-up"
IDS = (
    CHILDREN, BY_ITSELF, HEALTH, DELAYED, PURGED, AGAIN, AGENT, SYSTEM_BACK, BATCH, COUNT_UP,
)  # fmt: skip

_NOT_NEEDED = "alloc not needed due to job update"
_GOES_BACK = " - rolling back to job version "
_RUNNING = "Deployment is running"
_SUCCESSFUL = "Deployment completed successfully"
# Told of an agent, and there is none.
_AGENT_EVENT = "Reconnected"


def skipped(scenario: Scenario) -> str:
    """The rule by which nothing of a scenario is expected of orch; empty where something is."""
    if any(job.periodic or job.parameterized_job for job in scenario.jobs):
        return CHILDREN
    groups = [g for job in scenario.jobs for g in job.task_groups]
    stops = [g.disconnect.stop_on_client_after for g in groups if g.disconnect]
    return BY_ITSELF if any(stops) else ""


def is_watched(scenario: Scenario, entry: AllocEntry) -> bool:
    """Whether the allocation was made for a deployment; the health of others is not recorded."""
    watched = any(
        d.job == entry.job and _began(d) <= _seen(entry) < _ended(d)
        for d in scenario.summary.deployments
    )
    health = any("healthy" in c.model_fields_set for c in entry.history)
    if not watched and health:
        scenario.touch(HEALTH)
    return watched


def watched_until(scenario: Scenario, entry: AllocEntry) -> float:
    """Until when (seconds) somebody looked at its health: until its deployment was over."""
    ends = [
        _ended(d)
        for d in scenario.summary.deployments
        if d.job == entry.job and d.status == "failed" and _began(d) <= _seen(entry) < _ended(d)
    ]
    until = min(max(ends, default=float("inf")) + 1, _paused_for_good(scenario))
    if any(c.t > until and "healthy" in c.model_fields_set for c in entry.history):
        scenario.touch(HEALTH)
    return until


def _paused_for_good(scenario: Scenario) -> float:
    """When (seconds) a deployment was paused that never went on."""
    pauses = [c.at for c in scenario.commands if c.about == "deployment pause"]
    resumes = [c.at for c in scenario.commands if c.about == "deployment resume"]
    last = max(pauses, default=float("inf"))
    return float("inf") if any(t > last for t in resumes) else last


def _began(deployment: DeploymentEntry) -> float:
    # Polls see an allocation and its deployment one after the other.
    return deployment.history[0].t - 1


def _ended(deployment: DeploymentEntry) -> float:
    ends = (c.t for c in deployment.history if c.status not in (None, "running", "paused"))
    return next(ends, float("inf"))


def _seen(entry: AllocEntry) -> float:
    return entry.history[0].t


def is_delayed(scenario: Scenario, entry: AllocEntry) -> bool:
    """Whether tasks wait before they are stopped, and are called pending meanwhile."""
    groups = (g for job in scenario.jobs if job.id == entry.job for g in job.task_groups)
    found = any(t.shutdown_delay for g in groups if len(g.tasks) > 1 for t in g.tasks)
    if found:
        scenario.touch(DELAYED)
    return found


def purged_at(scenario: Scenario, entry: AllocEntry) -> float:
    """When (seconds) nothing more was heard of an allocation, because its job was purged."""
    purges = [
        c.at
        for c in scenario.commands
        if c.about == "job stop" and "purge" in c.flags and entry.job in c.args
    ]
    after = [t for t in purges if t > _seen(entry)]
    if after:
        scenario.touch(PURGED)
    return min(after, default=float("inf"))


def is_placed_by_chance(scenario: Scenario, entry: AllocEntry) -> bool:
    """Whether a failed system allocation was placed again, though its deployment had failed."""
    system = any(j.id == entry.job and j.type == "system" for j in scenario.jobs)
    before = next((a for a in scenario.summary.allocs if a.alloc == entry.previous), None)
    failed = any(
        d.job == entry.job and d.version == entry.version and d.status == "failed"
        for d in scenario.summary.deployments
    )
    again = before is not None and before.client == "failed" and before.version == entry.version
    if not (system and failed and again):
        return False
    scenario.touch(AGAIN)
    return True


def replaced(scenario: Scenario, entry: AllocEntry) -> AllocEntry:
    """A failed system allocation whose place another version takes is told to stop."""
    system = any(j.id == entry.job and j.type == "system" for j in scenario.jobs)
    after = next((a for a in scenario.summary.allocs if a.previous == entry.alloc), None)
    if after is not None and _index(after.alloc) != _index(entry.alloc):
        # A canary had its index, so that another one was counted as the next.
        scenario.touch(COUNT_UP)
        return entry.model_copy(update={"desired_description": _NOT_NEEDED})
    newer = after is not None and after.version != entry.version
    if after is None or not (
        system and newer and (entry.client, entry.desired) == ("failed", "run")
    ):
        return entry
    scenario.touch(AGAIN)
    stop = AllocChange(t=after.history[0].t, desired="stop")
    return entry.model_copy(update={"desired": "stop", "history": (*entry.history, stop)})


def _index(label: str) -> str:
    return label.rpartition("#")[0]


def goes_on(scenario: Scenario, job: str, before: AllocEntry | None) -> bool:
    """Whether a batch allocation that a drain stopped is placed elsewhere, as those of services."""
    batch = any(j.id == job and j.type == "batch" for j in scenario.jobs)
    drains = any(c.about == "node drain" for c in scenario.commands)
    found = batch and drains and before is not None and before.desired == "stop"
    if found:
        scenario.touch(BATCH)
    return found


def deployments(scenario: Scenario) -> list[DeploymentEntry]:
    """The deployments that are expected of orch, and what becomes of them."""
    found: list[DeploymentEntry] = []
    for entry in scenario.summary.deployments:
        found.append(entry)
        if way_back := _of_way_back(scenario, entry):
            found.append(way_back)
    return found


def _of_way_back(scenario: Scenario, entry: DeploymentEntry) -> DeploymentEntry | None:
    """A system job that goes back is watched like any other; it was not, in the recording."""
    system = any(j.id == entry.job and j.type == "system" for j in scenario.jobs)
    later = [d for d in scenario.summary.deployments if d.version > entry.version]
    back = [a.version for a in scenario.summary.allocs if a.version > entry.version]
    if not (system and _GOES_BACK in entry.description and back) or later:
        return None
    scenario.touch(SYSTEM_BACK)
    changes = (
        DeploymentChange(t=entry.history[-1].t, status="running", description=_RUNNING),
        DeploymentChange(t=entry.history[-1].t, status="successful", description=_SUCCESSFUL),
    )
    return entry.model_copy(update={"version": back[0], "history": changes})


def is_timed(scenario: Scenario, entry: AllocEntry) -> bool:
    """Whether its health was found in the time that its group says, as that of a deployment's."""
    if not is_watched(scenario, entry):
        return False
    if any(c.about == "deployment pause" for c in scenario.commands):
        scenario.touch(HEALTH)
        return False
    return not any(
        d.job == entry.job and _of_way_back(scenario, d) and entry.version > d.version
        for d in scenario.summary.deployments
    )


def events(scenario: Scenario, types: list[str]) -> list[str]:
    """The types of events that are expected of a task.

    An agent that is back says so, and one that was killed may miss the end of what it then stops.
    """
    found = [t for t in types if t != _AGENT_EVENT]
    killed = any(c.about == "#" and c.args[0] == "kill" for c in scenario.commands)
    if killed and found[-2:] == ["Killing", "Terminated"]:
        found.append("Killed")
    if found != types:
        scenario.touch(AGENT)
    return found
