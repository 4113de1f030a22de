"""More outputs than a connection has channels are refused in words, never waited for."""

from __future__ import annotations

import pytest

from executors.logs import LogStream
from gitops.cli.output import MOST_FOLLOWED, Source, refuse_too_many
from planner.errors import OrchError
from planner.recorded import AllocRecord


def sources(count: int, host: str) -> list[Source]:
    return [
        Source(
            alloc=AllocRecord(id=f"{n:08x}", name=f"web.g[{n}]", group="g", node=host),
            task="t",
            stream=LogStream.STDOUT,
        )
        for n in range(count)
    ]


def test_as_many_as_there_are_channels() -> None:
    refuse_too_many([*sources(MOST_FOLLOWED, "h1"), *sources(MOST_FOLLOWED, "h2")])


def test_one_more_on_one_host() -> None:
    with pytest.raises(OrchError, match="h2 has 8 outputs of this job, and 7 can be followed"):
        refuse_too_many([*sources(1, "h1"), *sources(MOST_FOLLOWED + 1, "h2")])
