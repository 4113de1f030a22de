"""What a plan says: text, JSON and exit."""

from __future__ import annotations

from typing import Any

from gitops.view.diff_text import diff_lines
from gitops.view.plan_json import counters, diff_data, failure_data
from planner.action import Action
from planner.difference import DiffType
from planner.errors import OrchError
from tests.oracle import canon
from tests.oracle.case import Case
from tests.oracle.report import Compared

_METRICS = (
    "CoalescedFailures", "NodesEvaluated", "NodesFiltered", "NodesExhausted", "NodesInPool",
    "NodesAvailable", "NodePool", "ConstraintFiltered", "ClassFiltered", "ClassExhausted",
    "DimensionExhausted",
)  # fmt: skip
_ERROR = 255
_COUNTED = (
    Action.CREATE, Action.CANARY, Action.DESTRUCTIVE, Action.DESTROY, Action.MIGRATE,
)  # fmt: skip
Json = Any


def diff(case: Case) -> Compared | None:
    """The diff as text, with and without -verbose."""
    names = [n for n in ("plan", "plan-verbose") if _is_plan(case, n)]
    if not names:
        return None
    recorded = [canon.diff_text(case.expected.text(case.text(f"{n}.txt"))) for n in names]
    printed = [diff_lines(case.plan.diff, verbose=n != "plan") for n in names]
    orch = [canon.diff_text("\n".join(lines)) for lines in printed]
    return Compared("\n\n".join(recorded), "\n\n".join(orch))


def _is_plan(case: Case, name: str) -> bool:
    if not case.has(f"{name}.txt"):
        return False
    return not case.has(f"{name}.exit") or case.exit(f"{name}.exit") != _ERROR


def json(case: Case) -> Compared | None:
    """The diff, the counters and the placement failures as JSON."""
    if not case.has("plan.json"):
        return None
    recorded = case.expected.json(case.json("plan.json"))
    annotations = canon.entries(recorded.get("Annotations"))
    told = {
        "Diff": canon.diff_tree(recorded["Diff"]),
        "DesiredTGUpdates": canon.entries(annotations.get("DesiredTGUpdates")),
        "FailedTGAllocs": {
            name: _metrics(f) for name, f in canon.entries(recorded["FailedTGAllocs"]).items()
        },
    }
    plan = case.plan
    orch = {
        "Diff": canon.diff_tree(diff_data(plan.diff)),
        "DesiredTGUpdates": {g.name: counters(g) for g in plan.groups},
        "FailedTGAllocs": {
            g.name: _metrics(failure_data(g.failure)) for g in plan.groups if g.failure
        },
    }
    return Compared(canon.text(told), canon.text(orch))


def _metrics(failure: Json) -> dict[str, Json]:
    return canon.without_empty({name: failure.get(name) for name in _METRICS})


def exit_code(case: Case) -> Compared | None:
    """Error, changes or none, as the recorded exit code of the plan says."""
    if not case.has("plan.exit"):
        return None
    code = case.expected.exit(case.exit("plan.exit"), _plan(case))
    recorded = "error" if code == _ERROR else "changes" if code else "no changes"
    return Compared(recorded, _outcome(case))


def _plan(case: Case) -> Json:
    return case.json("plan.json") if case.has("plan.json") else None


def _outcome(case: Case) -> str:
    if case.spec.errors:
        return "error"
    try:
        plan = case.plan
    except OrchError:
        return "error"
    counted = any(c.action in _COUNTED for c in plan.changes)
    return "changes" if counted and plan.diff.type is not DiffType.NONE else "no changes"
