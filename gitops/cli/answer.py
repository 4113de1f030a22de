"""What a reading command prints, and how an answer that is not whole is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops.cli.say import note_once
from gitops.exit_codes import INCOMPLETE
from gitops.planning import Look, unknown_hosts
from gitops.view.safe import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reading command prints, as text or as JSON."""

    text: str
    data: Any
    exit_code: int = 0


def answered(text: str, data: Any, look: Look) -> Answer:  # noqa: ANN401
    """Return the answer; hosts that did not answer are named on stderr and in the exit code."""
    unknown = unknown_hosts(look.observed)
    for host in unknown:
        note_once(f"Host {clean(host.host)} is unknown: {clean(host.reason)}")
    return Answer(text=text, data=data, exit_code=INCOMPLETE if unknown else 0)
