"""What a person asks of a deployment, as a value, and what came of that.

One that waits in the ledger was written by somebody else: `problem` says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

# So many wait for one job at the most.
MOST_REQUESTS = 16
# So many answers are kept with a job.
KEPT_ANSWERS = 16
_MOST_NAMES = 1000
_LONGEST = 256
_ID = re.compile(r"[0-9a-f-]{1,64}")


class Verb(StrEnum):
    """What is to become of a deployment."""

    PROMOTE = "promote"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    HEALTH = "health"

    @property
    def done(self) -> str:
        """The word for a deployment with which that was done."""
        return _DONE[self]


_DONE = {
    Verb.PROMOTE: "promoted",
    Verb.FAIL: "failed",
    Verb.PAUSE: "paused",
    Verb.RESUME: "resumed",
    Verb.HEALTH: "told the health of its allocations",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One demand on a deployment; `time` in ns, `by` says whose.

    `groups` are those to promote, all where none is named; `healthy` and `unhealthy` are ids of
    allocations of which somebody says so.
    """

    id: str
    verb: Verb
    deployment: str
    groups: tuple[str, ...] = field(default=(), metadata={"omitempty": True})
    healthy: tuple[str, ...] = field(default=(), metadata={"omitempty": True})
    unhealthy: tuple[str, ...] = field(default=(), metadata={"omitempty": True})
    by: str = ""
    time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of the request `id` at `time`, in ns: carried out, or refused for a reason."""

    id: str
    time: int
    refusal: str = field(default="", metadata={"omitempty": True})


def problem(request: Request) -> str:
    """Say why a request can't be what a command wrote; empty where it can."""
    if not all(_ID.fullmatch(i) for i in (request.id, request.deployment)):
        return "its ids are none"
    names = (*request.groups, *request.healthy, *request.unhealthy)
    if len(names) > _MOST_NAMES:
        return f"it names more than {_MOST_NAMES} groups and allocations"
    if not all(_is_plain(text) for text in _texts(request)):
        return f"a name in it is longer than {_LONGEST} characters, or can't be shown"
    return ""


def _texts(request: Request) -> Iterator[str]:
    yield request.by
    yield from (*request.groups, *request.healthy, *request.unhealthy)


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST and text.isprintable()
