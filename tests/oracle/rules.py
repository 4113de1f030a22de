"""Where orch differs on purpose, or the recording shows a fault of Nomad: what is expected instead.

A rule looks at inputs only (spec, state, node), never at names of cases or jobs, nor at outputs.
Each id has a paragraph in docs/differences.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from planner.job import TaskGroup
from tests.oracle import unenforced
from tests.oracle.canon import entries
from tests.oracle.inputs import Inputs
from tests.oracle.timelines import rules as timelines

Json = Any
# How many creates of a group the recording has too many; by group.
Surplus = Callable[[Inputs], Mapping[str, int]]

_HEADER = re.compile(r'(?P<start>.*Task Group: "(?P<group>[^"]*)")(?: \((?P<counts>[^)]*)\))?$')
# The counters of a group by the words that a printed plan has for them.
_WORDS = {
    "canary": "Canary",
    "create": "Place",
    "create/destroy update": "DestructiveUpdate",
    "destroy": "Stop",
    "ignore": "Ignore",
    "in-place update": "InPlaceUpdate",
    "migrate": "Migrate",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One difference. `surplus` says which creates are not expected of orch."""

    id: str
    surplus: Surplus


def _running(inputs: Inputs, group: str) -> int:
    entry = inputs.entry
    if entry is None or entry.stopped:
        return 0
    return sum(
        a.group(entry.id) == group and a.desired == "run" and a.client == "running"
        for a in entry.allocs
    )


def _system_creates(inputs: Inputs) -> dict[str, int]:
    """A system job that runs is shown one create too many for each node it runs on."""
    if inputs.job.type != "system":
        return {}
    return {g.name: _running(inputs, g.name) for g in inputs.job.task_groups}


def _unchanged_parents(inputs: Inputs) -> dict[str, int]:
    """An unchanged periodic or parameterized job creates nothing."""
    job = inputs.job
    if not (job.periodic or job.parameterized_job) or inputs.registered != job:
        return {}
    return {g.name: g.count for g in job.task_groups}


def _canaries_above_count(inputs: Inputs) -> dict[str, int]:
    """Canaries beyond the count are no reason to create something beside them."""
    return {
        g.name: _beyond(g)
        for g in inputs.job.task_groups
        if _beyond(g) and _running(inputs, g.name)
    }


def _beyond(group: TaskGroup) -> int:
    return max(0, group.update.canary - group.count) if group.update else 0


RULES = (
    Rule("system-spurious-create", _system_creates),
    Rule("unchanged-parent", _unchanged_parents),
    Rule("canary-above-count", _canaries_above_count),
)
DUAL_STACK = "static-port-two-addresses"
PREEMPTION = "preemption"
IDS = (*(r.id for r in RULES), DUAL_STACK, PREEMPTION, unenforced.ID, *timelines.IDS)


@dataclass(slots=True)
class Expected:
    """What is expected of orch for one case: the recording, changed by the rules that apply."""

    inputs: Inputs | None
    touch: Callable[[str], None]

    def text(self, plan: str) -> str:
        """The printed plan: the counts in the lines of groups."""
        return "\n".join(self._line(line) for line in plan.splitlines())

    def _line(self, line: str) -> str:
        match = _HEADER.match(line)
        if match is None:
            return line
        counts = _counts(match["counts"] or "")
        recorded = {name: counts.get(word, 0) for word, name in _WORDS.items()}
        expected = self._counters(match["group"], recorded)
        shown = ", ".join(f"{n} {word}" for word, n in _shown(expected).items())
        return match["start"] + (f" ({shown})" if shown else "")

    def json(self, plan: Json) -> Json:
        """The plan as JSON: counters, their copies in the diff, and failures."""
        failures: dict[str, Json] = dict(entries(plan.get("FailedTGAllocs")))
        updates = _updates(plan)
        for name, recorded in updates.items():
            counters = updates[name] = self._counters(name, recorded)
            if recorded["Place"] > counters["Place"] == 0:
                failures.pop(name, None)
            if self._is_taken_after_all(name, failures.get(name)):
                failures.pop(name)
            if failure := self._collision(name, counters, failures.get(name)):
                failures[name] = failure
        annotations = {**entries(plan.get("Annotations")), "DesiredTGUpdates": updates}
        diff = _corrected(entries(plan.get("Diff")), updates)
        return {**plan, "Diff": diff, "Annotations": annotations, "FailedTGAllocs": failures}

    def _counters(self, group: str, recorded: Mapping[str, int]) -> dict[str, int]:
        """What is expected of orch where a group's counters are recorded so."""
        counters = dict(recorded)
        counters["Place"] -= self._surplus(group, counters["Place"])
        if self.inputs is None:
            return counters
        expected = unenforced.counters(self.inputs, group, counters)
        if expected != counters:
            self.touch(unenforced.ID)
        return expected

    def _is_taken_after_all(self, group: str, failure: Json) -> bool:
        if self.inputs is None or not failure:
            return False
        found = unenforced.explains(failure, unenforced.labels(self.inputs, group))
        if found:
            self.touch(unenforced.ID)
        return found

    def _surplus(self, group: str, found: int) -> int:
        if self.inputs is None or not found:
            return 0
        for rule in RULES:
            if surplus := min(found, rule.surplus(self.inputs).get(group, 0)):
                self.touch(rule.id)
                return surplus
        return 0

    def _collision(self, group: str, counters: Mapping[str, int], failure: Json) -> Json:
        """One address: of the new allocations of a static port only the first finds room."""
        if self.inputs is None or (port := self.inputs.shared_port(group)) is None:
            return None
        stays = counters["Ignore"] + counters["InPlaceUpdate"] + counters["DestructiveUpdate"]
        free = 0 if stays or self.inputs.held_by_others(port.value) else 1
        unplaced = counters["Place"] + counters["Canary"] - free
        if unplaced < 1 or (failure and failure["CoalescedFailures"] + 1 >= unplaced):
            return None
        self.touch(DUAL_STACK)
        label = f"network: reserved port collision {port.label}={port.value}"
        return {
            "CoalescedFailures": unplaced - 1,
            "NodesEvaluated": 1,
            "NodesFiltered": 0,
            "NodesExhausted": 1,
            "NodesInPool": 1,
            "NodePool": self.inputs.job.node_pool,
            "NodesAvailable": {self.inputs.node.datacenter: 1},
            "DimensionExhausted": {label: 1},
        }

    def exit(self, code: int, plan: Json | None) -> int:
        """The exit code of the plan; `plan` is its JSON, where that was recorded."""
        if code not in (0, 1) or plan is None or self.inputs is None:
            return code
        before = _touching(plan)
        after = _touching(self.json(plan))
        if before == after:
            return code
        return int(after > 0 and plan["Diff"]["Type"] != "None")


def _updates(plan: Json) -> dict[str, dict[str, int]]:
    """The counters of the groups, as they lie in the plan."""
    return entries(entries(plan.get("Annotations")).get("DesiredTGUpdates"))


def _touching(plan: Json) -> int:
    names = ("Place", "Canary", "DestructiveUpdate", "Stop", "Migrate")
    return sum(counters[n] for counters in _updates(plan).values() for n in names)


def _counts(text: str) -> dict[str, int]:
    pairs = (part.split(" ", 1) for part in text.split(", ") if part)
    return {word: int(n) for n, word in pairs}


def _shown(counters: Mapping[str, int]) -> dict[str, int]:
    """The counters that a printed plan has, by its words."""
    return {word: counters[name] for word, name in _WORDS.items() if counters[name]}


def _corrected(diff: Json, updates: Mapping[str, Mapping[str, int]]) -> Json:
    """A diff in which the groups' own counts agree with the counters."""
    groups = diff.get("TaskGroups")
    changed = [
        {**g, "Updates": _shown(updates[g["Name"]])} if g["Name"] in updates else g
        for g in groups or ()
    ]
    return {**diff, "TaskGroups": changed or groups}
