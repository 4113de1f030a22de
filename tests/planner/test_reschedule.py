from __future__ import annotations

import pytest

from planner.job import SECOND, ReschedulePolicy
from planner.observed import TaskState
from planner.recorded import AllocRecord, ClientStatus, JobState
from planner.reschedule import due_at, failed_at, failed_nodes, is_due

END = 1_000 * SECOND


def policy(**fields: object) -> ReschedulePolicy:
    values: dict[str, object] = {"delay": 5 * SECOND, "max_delay": 20 * SECOND}
    return ReschedulePolicy(**(values | fields))  # type: ignore[arg-type]


def chain(number: int, *, created: int = END - SECOND) -> JobState:
    """The records of one name that has failed and been rescheduled `number` times."""
    records = tuple(
        AllocRecord(
            id=f"a{i}",
            name="web.api[0]",
            group="api",
            node=f"n{i}",
            client=ClientStatus.FAILED,
            previous=f"a{i - 1}" if i else "",
            reschedules=i,
            created=created,
            tasks={"main": TaskState(finished_at=END)},
        )
        for i in range(number + 1)
    )
    return JobState(key="web", allocs=records)


@pytest.mark.parametrize(
    ("function", "seconds"),
    [
        ("constant", [5, 5, 5, 5, 5]),
        ("exponential", [5, 10, 20, 20, 20]),
        ("fibonacci", [5, 5, 10, 15, 20]),
    ],
)
def test_delays(function: str, seconds: list[int]) -> None:
    for number, delay in enumerate(seconds):
        state = chain(number)
        due = due_at(state, state.allocs[-1], policy(delay_function=function))
        assert due == END + delay * SECOND


def test_the_delay_starts_anew_after_a_long_run() -> None:
    state = chain(4, created=END - 30 * SECOND)
    assert due_at(state, state.allocs[-1], policy()) == END + 5 * SECOND


def test_attempts_within_the_interval() -> None:
    limited = policy(unlimited=False, attempts=2, interval=600 * SECOND, delay_function="constant")
    for number, allowed in ((0, True), (1, True), (2, False)):
        state = chain(number)
        assert (due_at(state, state.allocs[-1], limited) is not None) is allowed
    long_ago = chain(2, created=END - 700 * SECOND)
    assert due_at(long_ago, long_ago.allocs[-1], limited) is not None


def test_never() -> None:
    state = chain(0)
    assert due_at(state, state.allocs[0], None) is None
    assert due_at(state, state.allocs[0], policy(unlimited=False)) is None


def test_the_nodes_of_all_failures() -> None:
    state = chain(2)
    assert failed_nodes(state, state.allocs[-1]) == {"n0", "n1", "n2"}
    forgotten = JobState(key="web", allocs=state.allocs[-1:])
    assert failed_nodes(forgotten, state.allocs[-1]) == {"n2"}


def test_when_it_failed() -> None:
    record = AllocRecord(id="a", name="web.api[0]", group="api", node="n", modified=7)
    assert failed_at(record) == 7


def test_what_is_due_within_a_second_is_due() -> None:
    assert is_due(END + SECOND, END)
    assert not is_due(END + SECOND + 1, END)
