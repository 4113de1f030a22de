"""The events of an apply as lines, one after the other, as they happen. Keeps no state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitops.view.deployment_text import deployment_block
from gitops.view.failure_text import failure_lines, failure_title
from gitops.view.moment import timestamp
from gitops.view.safe import clean
from planner.events import (
    AllocationModified,
    AllocationPlaced,
    AllocationStopped,
    AllocationUnhealthy,
    DeploymentUpdate,
    EvaluationFinished,
    EvaluationStarted,
    Event,
    Message,
)

_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Puts events into words; `verbose` shows ids in full."""

    verbose: bool = False

    def lines(self, event: Event) -> list[str]:
        """Return the lines that tell of an event; an event may need none."""
        return _WORDS[type(event)](self, event)

    def id(self, full: str) -> str:
        """Return an id as long as it is to be shown."""
        return clean(full if self.verbose else full[:_SHORT])


def _head(time: int, text: str) -> str:
    return f"==> {timestamp(time)}: {text}"


def _line(time: int, text: str) -> str:
    return f"    {timestamp(time)}: {text}"


def _started(m: Monitor, e: EvaluationStarted) -> list[str]:
    cause = "" if e.triggered_by == "job-register" else f" ({clean(e.triggered_by)})"
    lines = [
        _head(e.time, f'Monitoring evaluation "{m.id(e.evaluation)}"'),
        _line(e.time, f'Evaluation triggered by job "{clean(e.job_id)}"{cause}'),
    ]
    if e.deployment:
        lines.append(_line(e.time, f'Evaluation within deployment: "{m.id(e.deployment)}"'))
    return lines


def _alloc(verb: str) -> Callable[[Monitor, Any], list[str]]:
    def lines(
        m: Monitor, e: AllocationPlaced | AllocationModified | AllocationStopped
    ) -> list[str]:
        alloc = e.alloc
        node = m.id(alloc.node_id) if alloc.node_id else clean(alloc.node)
        where = f'node "{node}", group "{clean(alloc.group)}"'
        return [_line(e.time, f'Allocation "{m.id(alloc.id)}" {verb}: {where}')]

    return lines


def _unhealthy(m: Monitor, e: AllocationUnhealthy) -> list[str]:
    return [_line(e.time, f'Allocation "{m.id(e.alloc.id)}" unhealthy: {clean(e.reason)}')]


def _finished(m: Monitor, e: EvaluationFinished) -> list[str]:
    done = f'Evaluation "{m.id(e.evaluation)}" finished with status "{clean(e.status)}"'
    if not e.unplaced:
        return [_head(e.time, done)]
    lines = [_head(e.time, f"{done} but failed to place all allocations:")]
    for group, failure in e.unplaced:
        lines.append(_line(e.time, failure_title(group, failure)))
        lines += [f"      {line}" for line in failure_lines(failure)]
    return lines


def _deployment(m: Monitor, e: DeploymentUpdate) -> list[str]:
    header, groups = deployment_block(e.job_id, e.deployment, verbose=m.verbose)
    return ["", timestamp(e.time), *header, *(["", *groups] if groups else [])]


def _message(_: Monitor, e: Message) -> list[str]:
    return [_line(e.time, clean(e.text))]


_WORDS: dict[type[Any], Callable[[Monitor, Any], list[str]]] = {
    EvaluationStarted: _started,
    AllocationPlaced: _alloc("created"),
    AllocationModified: _alloc("modified"),
    AllocationStopped: _alloc("stopped"),
    AllocationUnhealthy: _unhealthy,
    EvaluationFinished: _finished,
    DeploymentUpdate: _deployment,
    Message: _message,
}
