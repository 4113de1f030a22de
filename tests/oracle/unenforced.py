"""Constraints that services of Consul and tasks with Vault imply: orch does not enforce them.

Nomad finds no node without these programs, for what is new and for updates in place alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.constraint import label, resolved
from planner.feasible import CLASS_INELIGIBLE, obstacle
from planner.job import Constraint
from planner.system import TYPES
from planner.update import forcing_change
from tests.oracle.canon import entries
from tests.oracle.inputs import Inputs

ID = "implied-not-enforced"

_PROGRAMS = ("${attr.consul.", "${attr.vault.", "${attr.plugins.cni.version.consul-cni}")


def labels(inputs: Inputs, group: str) -> frozenset[str]:
    """The names of such constraints of a group that its node does not meet.

    None where something else keeps the group off the node: then nothing is different.
    """
    found = inputs.job.group(group)
    if found is None or obstacle(inputs.job, found, inputs.node):
        return frozenset()
    return frozenset(label(c) for c in found.constraints if _is_unmet(c, inputs))


def _is_unmet(constraint: Constraint, inputs: Inputs) -> bool:
    implied = constraint.operand == "semver" and constraint.l_target.startswith(_PROGRAMS)
    return implied and resolved(constraint.l_target, inputs.node) is None


def explains(failure: Mapping[str, Any], names: frozenset[str]) -> bool:
    """Whether a recorded failure has no other reason than these constraints."""
    told = entries(failure.get("ConstraintFiltered")).keys()
    return bool(told and names) and told <= names | {CLASS_INELIGIBLE}


def counters(inputs: Inputs, group: str, recorded: Mapping[str, int]) -> dict[str, int]:
    """The counters of a group whose node takes it after all."""
    out = dict(recorded)
    if not labels(inputs, group):
        return out
    if _is_new_system(inputs):
        out["Place"] = 1
    elif inputs.registered != inputs.job and _stays(inputs, group):
        moved = ("Canary", "DestructiveUpdate", "Ignore")
        out["InPlaceUpdate"] += out["DestructiveUpdate"] + out["Ignore"]
        out |= dict.fromkeys(moved, 0)
    return out


def _is_new_system(inputs: Inputs) -> bool:
    return inputs.job.type in TYPES and (inputs.entry is None or inputs.entry.stopped)


def _stays(inputs: Inputs, group: str) -> bool:
    """Whether all that runs of the group can be updated in place."""
    entry = inputs.entry
    if entry is None or entry.stopped:
        return False
    state = inputs.recorded
    alive = [a for a in state.allocs if a.group == group and not a.terminal]
    versions = [state.version(a.job_version) for a in alive]
    return bool(alive) and not any(
        v is None or forcing_change(v.job, inputs.job, group) for v in versions
    )
