"""How a job's rollout ends, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class OutcomeKind(StrEnum):
    """How a job's rollout ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CONFLICT = "conflict"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one job's rollout, with what a person needs to go on.

    `rolled_back_to` is the version that runs again after a failure, if one does.
    """

    key: str
    kind: OutcomeKind = OutcomeKind.DONE
    detail: str = ""
    log: str = ""
    rolled_back_to: int | None = None


def interrupted(key: str) -> Outcome:
    """The end of a rollout that was asked to stop; what it has begun is recorded."""
    detail = "stopped as asked; an apply goes on with it"
    return Outcome(key=key, kind=OutcomeKind.INTERRUPTED, detail=detail)


def latest(first: Outcome | None, then: Outcome) -> Outcome:
    """Return the end of a job that was driven twice: a failure stays one."""
    return first if first is not None and first.kind is OutcomeKind.FAILED else then


def after_failures(failures: Sequence[Outcome], last: Outcome) -> Outcome:
    """Return the end of a rollout that had failed before it came to `last`: it is a failure."""
    if not failures:
        return last
    first = failures[0]
    details = [f.detail for f in failures]
    back = first.rolled_back_to if last.kind is OutcomeKind.DONE else None
    if back is not None:
        details.append(f"Version {back} runs again, as a new version.")
    elif last.kind is not OutcomeKind.DONE and last.detail and last.detail not in details:
        details.append(last.detail)
    return replace(first, detail="\n".join(details), rolled_back_to=back)
