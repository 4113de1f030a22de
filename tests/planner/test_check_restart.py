"""When a check that fails restarts its tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.check_restart import Failures, counted, is_over, life
from planner.check_status import CheckLevel, restarts
from planner.job import SECOND, Check, CheckRestart
from planner.observed import ObservedAlloc, TaskPhase, TaskState

CHECK = Check(interval=10 * SECOND, check_restart=CheckRestart(limit=2, grace=5 * SECOND))
LIFE = (("t", 1, 0),)
LEVELS = {"+": CheckLevel.PASSING, "w": CheckLevel.WARNING, "-": CheckLevel.CRITICAL, "?": None}


def story(check: Check, *results: tuple[float, str]) -> list[float]:
    """When it was over, of results at those times."""
    failures: Failures | None = None
    found: list[float] = []
    for at, sign in results:
        failures = counted(failures, check, LIFE, LEVELS[sign], at)
        if is_over(failures, check):
            found.append(at)
    return found


def warned(*, ignored: bool) -> Check:
    return replace(CHECK, check_restart=CheckRestart(limit=1, grace=0, ignore_warnings=ignored))


@pytest.mark.parametrize(
    ("check", "results", "expected"),
    [
        # those within the grace time do not count
        (CHECK, [(0, "-"), (4, "-"), (5, "-"), (14, "-"), (15, "-")], [15]),
        # more of them than one an interval count once
        (CHECK, [(0, "+"), (6, "-"), (7, "-"), (8, "-"), (16, "-")], [16]),
        (CHECK, [(0, "+"), (6, "-"), (12, "+"), (16, "-"), (20, "-"), (26, "-")], [26]),
        # what was not made neither counts nor ends the row
        (CHECK, [(0, "+"), (6, "-"), (12, "?"), (16, "?"), (17, "-")], [17]),
        (CHECK, [(0, "+"), (6, "?"), (16, "?"), (26, "?")], []),
        (warned(ignored=False), [(0, "w")], [0]),
        (warned(ignored=True), [(0, "w"), (1, "-")], [1]),
        (replace(CHECK, check_restart=CheckRestart(limit=0)), [(9, "-"), (99, "-")], []),
        (replace(CHECK, check_restart=None), [(9, "-"), (99, "-")], []),
    ],
)
def test_so_many_bad_results_in_a_row(
    check: Check, results: list[tuple[float, str]], expected: list[float]
) -> None:
    assert story(check, *results) == expected


def test_another_life_begins_the_count_and_the_grace_anew() -> None:
    failures = counted(None, CHECK, LIFE, None, 0)
    failures = counted(failures, CHECK, LIFE, CheckLevel.CRITICAL, 10)
    assert failures.number == 1
    again = counted(failures, CHECK, (("t", 2, 1),), CheckLevel.CRITICAL, 20)
    assert (again.number, again.began) == (0, 20)


def test_what_does_not_run_is_not_restarted() -> None:
    check = warned(ignored=False)
    failures = counted(None, check, (), CheckLevel.CRITICAL, 0)
    assert failures.number == 1
    assert not is_over(failures, check)


def test_the_life_of_the_named_tasks_or_of_all_that_run() -> None:
    tasks = {
        "b": TaskState(state=TaskPhase.RUNNING, started_at=5, restarts=1),
        "a": TaskState(state=TaskPhase.RUNNING, started_at=4),
        "c": TaskState(state=TaskPhase.PENDING),
    }
    alloc = ObservedAlloc(id="i", node="n", name="w.g[0]", job_id="w", group="g", tasks=tasks)
    assert life(alloc, ()) == (("a", 4, 0), ("b", 5, 1))
    assert life(alloc, {"b", "c"}) == (("b", 5, 1),)


def test_which_checks_restart() -> None:
    assert restarts(CHECK)
    assert not restarts(replace(CHECK, check_restart=CheckRestart(limit=0)))
    assert not restarts(Check())
