"""Where allocations go: why some can't, how nodes score, and which one is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from planner.codec import json_name, to_json
from planner.node_score import NodeScore
from planner.ports import asked_ports
from planner.score import affinities
from tests.oracle import canon
from tests.oracle.placement import PlacementCase, Step
from tests.oracle.recorded_placement import PlacementEntry, ScoreEntry
from tests.oracle.report import Compared
from tests.oracle.rules import DUAL_STACK, PREEMPTION

TOLERANCE = 1e-9
Check = Callable[[PlacementCase], Compared | None]


def filters(case: PlacementCase) -> Compared | None:
    """Why groups failed: the metrics of each that did."""
    plan = case.plan
    recorded = {
        name: canon.without_empty({json_name(k): v for k, v in metrics.model_dump().items()})
        for name, metrics in (case.file.eval.failed_groups or {}).items()
    }
    orch = {g.name: canon.without_empty(to_json(g.failure)) for g in plan.groups if g.failure}
    for group in {s.group for s in case.file.placements if excuse(case, s)}:
        recorded[group] = orch.get(group, {"an entry": "is expected"})
    return Compared(canon.text(recorded), canon.text(orch)) if recorded or orch else None


def scores(case: PlacementCase) -> Compared | None:
    """Every recorded score of every recorded node."""
    steps = _steps(case)
    recorded: list[str] = []
    orch: list[str] = []
    for step in steps:
        for entry in step.entry.scores:
            if _is_excused(case, step, entry):
                continue
            found = step.scores.get(entry.node)
            for part, value in entry.parts().items():
                label = f"{step.entry.name} {entry.node} {part}"
                got = _part(found, part) if found else None
                same = got is not None and abs(got - value) <= TOLERANCE
                recorded.append(f"{label} {value!r}")
                orch.append(recorded[-1] if same else f"{label} {got!r}")
    recorded += [f"{e.name} on {e.node} is placed" for e in _not_asked(case)]
    return Compared("\n".join(recorded), "\n".join(orch)) if recorded else None


def _part(score: NodeScore, part: str) -> float:
    return score.final if part == "final" else score.parts.get(part, 0.0)


def choice(case: PlacementCase) -> Compared | None:
    """The node that orch takes is at least as good; where all were scored, it is the same."""
    recorded: list[str] = []
    orch: list[str] = []
    for step in _steps(case):
        if excuse(case, step.entry) and step.entry.node not in step.scores:
            continue
        if excuse(case, step.entry) == PREEMPTION:
            continue
        label, node = step.entry.name, step.entry.node
        recorded.append(f"{label} on {node}")
        orch.append(recorded[-1] if _is_as_good(case, step) else f"{label}: {step.choice}")
    return Compared("\n".join(recorded), "\n".join(orch)) if recorded else None


def _is_as_good(case: PlacementCase, step: Step) -> bool:
    taken = next((s.final for s in step.entry.scores if s.node == step.entry.node), None)
    if step.choice is None:
        return False
    if step.choice.node == step.entry.node or taken is None:
        return True
    group = case.job.group(step.entry.group)
    spreads = case.job.spreads or (group and group.spreads)
    scored_all = group is not None and (spreads or affinities(case.job, group))
    difference = step.choice.final - taken
    return abs(difference) <= TOLERANCE if scored_all else difference >= -TOLERANCE


def excuse(case: PlacementCase, entry: PlacementEntry) -> str:
    """The rule under which this placement is not expected of orch, or nothing."""
    if case.preempts and entry.preempts:
        return PREEMPTION
    group = case.job.group(entry.group)
    static = asked_ports(group).static if group else ()
    if not case.dual_stack or not static:
        return ""
    return DUAL_STACK if entry.node in _taken(case, entry) else ""


def _taken(case: PlacementCase, entry: PlacementEntry) -> set[str]:
    """The nodes on which something was placed before."""
    names = [(e.group, e.name) for e in case.file.placements]
    earlier = case.file.placements[: names.index((entry.group, entry.name))]
    return {e.node for e in earlier}


def _is_excused(case: PlacementCase, step: Step, entry: ScoreEntry) -> bool:
    if case.preempts and entry.preemption is not None:
        return True
    return bool(excuse(case, step.entry.model_copy(update={"node": entry.node})))


def _steps(case: PlacementCase) -> list[Step]:
    assert case.plan is not None
    return case.steps


def _not_asked(case: PlacementCase) -> Iterator[PlacementEntry]:
    """What orch never looked for; after a group's first failure the rest is only counted."""
    failed = {e.group for e in case.file.placements if excuse(case, e)}
    return (e for e in case.left if e.group not in failed)


CHECKS: dict[str, Check] = {"filters": filters, "scores": scores, "choice": choice}
