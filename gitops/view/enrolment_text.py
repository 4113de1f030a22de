"""What `orch host setup` would do and has done, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gitops.enrolment import Enrolment, Outcome
from gitops.view.columns import wrapped_table
from gitops.view.findings_text import finding_data, remedies

if TYPE_CHECKING:
    from gitops.view import fleet_shapes


def table(enrolments: Sequence[Enrolment]) -> str:
    """Return what would be done on each host or was, and what kept it from being done."""
    lines = wrapped_table(("Host", "State", "Detail"), map(_row, enrolments))
    steps = remedies((e.host, f) for e in enrolments for f in e.trouble)
    return "\n".join([*lines, *(["", *steps] if steps else [])]) + "\n"


def _row(enrolment: Enrolment) -> tuple[str, str, str]:
    trouble = "; ".join(f"{f.name}: {f.detail}" for f in enrolment.trouble)
    told = trouble or (f"node {enrolment.node_id}" if enrolment.node_id else "")
    return enrolment.host, enrolment.outcome, told or ", ".join(enrolment.steps)


def summary(done: Sequence[Enrolment]) -> str:
    """Return one line: how many hosts came to what."""
    count = {o: sum(e.outcome is o for e in done) for o in Outcome}
    told = ", ".join(f"{n} {outcome}" for outcome, n in count.items() if n)
    return f"{len(done)} host{'s' if len(done) != 1 else ''}: {told}"


def data(done: Iterable[Enrolment]) -> list[fleet_shapes.HostEnrolment]:
    """Return the hosts as JSON values."""
    return [
        {
            "Host": e.host,
            "Outcome": e.outcome,
            "NodeID": e.node_id,
            "Steps": list(e.steps),
            "Findings": [finding_data(f) for f in e.trouble],
        }
        for e in done
    ]
