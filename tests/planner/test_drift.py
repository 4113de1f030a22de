from __future__ import annotations

import pytest

from planner.drift import drift
from planner.observed import NodeStatus, Observed, ObservedAlloc
from planner.recorded import ClientStatus, Desired
from tests.planner.scenes import Scene, ended, group, job, scene, task

HERE = scene().applied(job(group(2)))
STRANGER = ObservedAlloc(id="s", node="a", name="x.y[0]", job_id="x", group="y")
NAME = "web.api[0]"
MILD = job(group(2, tasks=(task(kill_timeout=9),)))


def with_stranger() -> Scene:
    seen = {**HERE.observed.allocs, "s": STRANGER}
    observed = Observed(nodes=HERE.observed.nodes, allocs=seen)
    return Scene(recorded=HERE.recorded, observed=observed)


@pytest.mark.parametrize(
    ("here", "kinds"),
    [
        (HERE, []),
        (HERE.without_seen(NAME), ["missing"]),
        (HERE.with_seen(NAME, tasks=ended(failed=True)), ["dead"]),
        (HERE.with_seen(NAME, tasks=ended(failed=False)), []),
        (HERE.applied(MILD).with_seen(NAME, version=0), ["stale version"]),
        (HERE.with_record(NAME, desired=Desired.STOP), ["extra"]),
        (HERE.with_record(NAME, desired=Desired.STOP).without_seen(NAME), []),
        (
            HERE.with_seen(NAME, tasks=ended(failed=True)).with_record(
                NAME, client=ClientStatus.FAILED
            ),
            [],
        ),
        (HERE.without_seen(NAME).with_node("a", status=NodeStatus.UNKNOWN), []),
        (HERE.without_seen(NAME).without_node("a"), []),
        (with_stranger(), ["extra"]),
    ],
)
def test_kinds(here: Scene, kinds: list[str]) -> None:
    assert [d.kind for d in drift(here.situation)] == kinds


def test_what_a_drift_says() -> None:
    (missing,) = drift(HERE.without_seen(NAME).situation)
    assert (missing.host, missing.alloc, missing.name) == ("a", "web-0000", NAME)
    assert missing.detail == "recorded as running, and not there"
    (dead,) = drift(HERE.with_seen(NAME, tasks=ended(failed=True)).situation)
    assert dead.detail == "task main has failed"
