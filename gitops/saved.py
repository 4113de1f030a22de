"""A saved plan: what was shown, and digests of everything it hangs on.

It holds no value of a spec that might be a secret. An apply makes the plan anew, and refuses
unless all that is bound is the same. Digests are keyed (HMAC) where there is a key: without one, a
spec's digest could be used to try out what a short secret from outside of Git is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitops.jobspec import marks
from gitops.masking import masked
from gitops.planning import Look
from gitops.request import SpecRequest
from gitops.version import VERSION
from planner.codec import FormatError, from_json, to_json
from planner.errors import ConflictError, OrchError
from planner.observed import ObservedAlloc
from planner.plan import JobPlan, Plan
from planner.recorded import AllocRecord, ClientStatus
from planner.status import statuses

FORMAT = 2
# A plan of ten thousand allocations takes some ten megabytes.
LIMIT = 256 * 1024 * 1024
_DIGEST = 64
_MARK = "orch_saved_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What the file holds. `bound` says, by name, what must not have moved, as digests."""

    format: int = FORMAT
    version: str = VERSION
    request: SpecRequest = field(default_factory=SpecRequest)
    bound: Mapping[str, str] = field(default_factory=dict[str, str])
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a plan was made from, beside the specs; `key` may be empty.

    `images` are the digests that new versions would run now, by job and by reference.
    """

    look: Look
    inventory: str
    images: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    key: str = field(default="", repr=False)

    def digest(self, value: object) -> str:
        """Return the digest of a text or of plain data."""
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return hmac.new(self.key.encode(), text.encode(), hashlib.sha256).hexdigest()


def saved(plan: Plan, basis: Basis, request: SpecRequest) -> SavedPlan:
    """Return the file's content for a plan.

    Raises `OrchError` where values from outside of Git would be open to guessing.
    """
    if (request.variables or request.var_files) and not basis.key:
        raise OrchError(
            "a plan with variables from the command line can't be saved without a key",
            "Set ORCH_KEY to a long random text, the same where the plan is applied.",
        )
    return SavedPlan(
        # Values of variables may be secrets; whoever applies gives them again.
        request=replace(request, variables=(), var_files=()),
        bound=bindings(plan, basis),
        plan=replace(plan, jobs=tuple(masked(j) for j in plan.jobs)),
    )


def bindings(plan: Plan, basis: Basis) -> dict[str, str]:
    """Return everything a plan hangs on, by the name under which a refusal tells of it.

    Facts that move by themselves (times, free memory, restarts) are not among them.
    """
    look = basis.look
    bound = {
        "orch's version": VERSION,
        "the cluster": plan.cluster,
        "the job files": basis.digest(plan.source.digest),
        "the inventory": basis.digest(basis.inventory),
        "the ledger's epoch": str(look.recorded.epoch),
    }
    for job in plan.jobs:
        bound |= _job_bindings(job, basis)
    for name in sorted(_hosts(plan, look)):
        node = look.observed.nodes.get(name)
        facts = (node.id, node.status, node.eligible) if node else ()
        bound[f"host {name}"] = " ".join(str(f) for f in facts) or "not in the inventory"
    return bound


def _job_bindings(job: JobPlan, basis: Basis) -> dict[str, str]:
    look = basis.look
    state = look.recorded.job(job.key)
    found = statuses(state, look.observed)
    bound = {
        f"the spec of job {job.key}": basis.digest(to_json(job.job)),
        f"the records of job {job.key} (another apply)": str(job.modify_index),
    }
    for alloc in state.allocs:
        seen = look.observed.allocs.get(alloc.id)
        if not alloc.terminal or (seen is not None and seen.desired == "run"):
            name = f"allocation {alloc.name} ({alloc.id[:8]})"
            bound[name] = _standing(alloc, found[alloc.id], seen)
    for name, digest in basis.images.get(job.key, {}).items():
        bound[f"image {name} of job {job.key}"] = digest or "not resolvable"
    # Last: it moves with room and ports on the hosts, and whenever one of the above does.
    changes = [replace(c, scores=()) for c in job.changes]
    bound[f"what job {job.key} needs on the hosts"] = basis.digest(to_json(tuple(changes)))
    return bound


def _standing(alloc: AllocRecord, status: ClientStatus, seen: ObservedAlloc | None) -> str:
    """Say in what state an allocation is, on record and on its host."""
    words = f"{status}, to {alloc.desired}, on {alloc.node}, version {alloc.job_version}"
    if seen is None:
        return f"{words}; not on the host"
    told = "" if seen.desired == alloc.desired else f"; the host was told to {seen.desired}"
    version = "" if seen.version == alloc.job_version else f"; the host has {seen.version}"
    return f"{words}{told}{version}{_altered(seen)}"


def _altered(seen: ObservedAlloc) -> str:
    """Say what is wrong with an allocation on its host."""
    alone = "nobody sees to it" if seen.unattended else ""
    return "".join(f"; {words}" for words in (alone, seen.missing, seen.changed) if words)


def _hosts(plan: Plan, look: Look) -> set[str]:
    planned = {c.node for j in plan.jobs for c in j.changes if c.node}
    recorded = {
        a.node for j in plan.jobs for a in look.recorded.job(j.key).allocs if not a.terminal
    }
    return planned | recorded


def moved(plan: SavedPlan, now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of what is not as it was when the plan was saved."""
    names = [n for n in plan.bound if now.get(n) != plan.bound[n]]
    names += [n for n in now if n not in plan.bound]
    causes = [n for n in names if not n.startswith("what job ")]
    return tuple(causes or names)


def refuse_if_moved(plan: SavedPlan, now: Mapping[str, str]) -> None:
    """Raise a `ConflictError` that names what moved since the plan was saved."""
    if names := moved(plan, now):
        listed = "\n".join(f"  * {_told(n, plan, now)}" for n in names)
        raise ConflictError(
            f"the saved plan does not hold any more; nothing was touched. Changed since:\n{listed}",
            "Plan again, look at it, and apply that.",
        )


def _told(name: str, plan: SavedPlan, now: Mapping[str, str]) -> str:
    old, new = plan.bound.get(name, "not there"), now.get(name, "not there")
    readable = not any(_is_digest(v) for v in (old, new))
    return f"{name}: {old or '-'} => {new or '-'}" if readable else name


def _is_digest(value: str) -> bool:
    return len(value) == _DIGEST and set(value) <= set("0123456789abcdef")


def dumped(plan: SavedPlan) -> str:
    """Return the file's text; the same plan gives the same bytes."""
    text = json.dumps({_MARK: to_json(plan)}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return marks.shown(text)


def is_saved_plan(text: str) -> bool:
    """Whether a file's text is a saved plan rather than a job."""
    return text.lstrip().startswith("{") and f'"{_MARK}"' in text[:200]


def loaded(text: str, name: str) -> SavedPlan:
    """Read a saved plan. Raises `OrchError` for one that is damaged or of another format."""
    try:
        data: Any = json.loads(text)[_MARK]
        made = data.get("Format")
        if made != FORMAT:
            raise OrchError(
                f"{name}: a saved plan of format {made}, made by orch {data.get('Version')}",
                f"This is orch {VERSION}, which reads format {FORMAT}: plan again with it.",
            )
        return from_json(SavedPlan, data)
    except (ValueError, KeyError, TypeError, AttributeError, FormatError) as e:
        raise OrchError(f"{name}: damaged: {e}", "Plan again with -out.") from e
