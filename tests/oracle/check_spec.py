"""What a spec is: parsed, canonical, valid."""

from __future__ import annotations

import re
from typing import Any

from planner.codec import to_json
from tests.oracle import canon
from tests.oracle.case import SPEC, Case
from tests.oracle.report import Compared

# What only a server knows of a job.
_BOOKKEEPING = (
    "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime", "Status", "StatusDescription",
    "Version", "Stable",
)  # fmt: skip
_SCALING_BOOKKEEPING = ("ID", "CreateIndex", "ModifyIndex")
_LINE = re.compile(rf"{re.escape(SPEC)}:(\d+)")


def parse(case: Case) -> Compared | None:
    """The parsed job equals the recorded one; or parsing fails, where it failed."""
    if case.has("spec.stderr"):
        told = "parsed" if case.spec.data is not None else "an error while parsing"
        return Compared("an error while parsing", told)
    if not case.has("spec.json"):
        return None
    recorded = case.json("spec.json")
    data = case.spec.data
    if data is None:
        return Compared(canon.text(recorded), "\n".join(e.text() for e in case.spec.errors))
    return Compared(canon.text(recorded.get("Job", recorded)), canon.text(data))


def canonical(case: Case) -> Compared | None:
    """The canonical job equals what was registered, in every field that a spec decides."""
    if not case.has("job.json"):
        return None
    recorded = _compared(case.json("job.json"))
    return Compared(canon.text(recorded), canon.text(_compared(to_json(case.spec.job))))


def _compared(job: dict[str, Any]) -> Any:  # noqa: ANN401 - recorded JSON
    out = canon.dropped(job, _BOOKKEEPING)
    for group in out["TaskGroups"] or ():
        if group["Scaling"]:
            group["Scaling"] = canon.dropped(group["Scaling"], _SCALING_BOOKKEEPING)
    return canon.without_constraint_order(out)


def validate(case: Case) -> Compared | None:
    """The verdict, and one error on one of the lines that were told."""
    if not case.has("validate.exit"):
        return None
    verdict = "valid" if case.exit("validate.exit") == 0 else "refused"
    told = "refused" if case.spec.errors else "valid"
    texts = [e.text() for e in case.spec.errors]
    recorded = case.text("validate.stderr") if case.has("validate.stderr") else ""
    lines = {int(n) for n in _LINE.findall(recorded)}
    if verdict == told and lines:
        found = {e.line for e in case.spec.errors if e.path == SPEC}
        if not lines & found:
            wanted = f"refused on a line of {sorted(lines)}"
            return Compared(wanted, f"refused on {sorted(found)}\n" + "\n".join(texts))
    if verdict == told:
        return Compared(verdict, told)
    return Compared(f"{verdict}\n{recorded}", "\n".join([told, *texts]))
