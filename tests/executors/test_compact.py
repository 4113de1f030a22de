"""Compact values are the plain ones to everybody who looks at them."""

from __future__ import annotations

import pytest

from executors.compact import Events, compact, ports_of
from planner.codec import from_json, to_json
from planner.observed import TaskEvent, TaskState

PLAIN = (
    TaskEvent(time=17, type="Started", message="Task started by client"),
    TaskEvent(time=10**19 - 1, type="Terminated", message="Exit", details={"exit_code": "3"}),
)
TOLD = [
    ["event", "17", "Started", "Task started by client"],
    ["event", str(10**19 - 1), "Terminated", "Exit", "exit_code=3", "no pair"],
]


def test_events_are_a_tuple_s_equal() -> None:
    events = Events.of(TOLD)
    assert events == PLAIN
    assert tuple(PLAIN) == events
    assert events == Events.of(TOLD)
    assert events != PLAIN[:1]
    assert events != Events.of(TOLD[:1])
    assert (list(events), len(events), events[-1], events[:1]) == ([*PLAIN], 2, PLAIN[1], PLAIN[:1])
    assert repr(events) == repr(PLAIN)


def test_states_with_such_events_are_equal_and_written_alike() -> None:
    plain, packed = TaskState(events=PLAIN), TaskState(events=Events.of(TOLD))
    assert plain == packed
    assert packed == plain
    assert to_json(packed) == to_json(plain)
    assert from_json(TaskState, to_json(packed)) == plain
    assert from_json(TaskState, to_json(TaskState())).events == ()


@pytest.mark.parametrize("values", [{}, {"a": 1}, {"a": 1, "b": 2}])
def test_a_compact_mapping_is_a_dict_s_equal(values: dict[str, int]) -> None:
    found = compact(values)
    assert found == values
    assert values == found
    assert (dict(found), len(found), list(found.values())) == (
        values,
        len(values),
        list(values.values()),
    )
    assert (found.get("a"), found.get("x"), "x" in found) == (values.get("a"), None, False)
    assert repr(found) == repr(values)
    with pytest.raises(KeyError):
        found["x"]


def test_equal_ports_are_one_mapping() -> None:
    assert ports_of([("http", 20_001)]) is ports_of([("http", 20_001)])
    assert ports_of([("http", 20_001)]) == {"http": 20_001}
    assert ports_of([("http", 1), ("db", 2)]) == {"http": 1, "db": 2}
    assert ports_of([]) == {}
