"""The reader of tasks' scripts."""

from __future__ import annotations

import pytest

from planner.job import SECOND, Task
from tests.oracle.timelines.scripts import UnreadableError, behaviour_of

# A script; how long it lasts, its code; signal, code and seconds until then (-: no notice).
SCRIPTS = """
exec sleep 600 | 600 0 | INT 130 0
sleep 2; exit 3 | 2 3 | INT 130 1.5
sleep 2; exit 3 | 2 3 | TERM 143 0
sleep 0.5 && false | 0.5 1 | KILL 137 0
false || exit 4 | 0 4 | KILL 137 0
trap : INT TERM; while true; do sleep 0.2; done | - 0 | TERM -
trap "exit 7" TERM; while :; do sleep 0.2; done | - 0 | TERM 7 0.1
trap "sleep 1; exit 0" TERM; until false; do sleep 1; done | - 0 | TERM 0 1.5
trap '' INT; exec sleep 9 | 9 0 | INT -
trap 'exit 1' INT; exec sleep 9 | 9 0 | INT 130 0
for i in 1 2 3; do sleep 1; done; exit 2 | 3 2 | HUP 129 0
echo "up $(date)"; sleep 1m | 60 0 | TERM 143 0
"""


def shell(script: str) -> Task:
    return Task(name="t", config={"command": "/bin/sh", "args": ["-c", script]})


@pytest.mark.parametrize("line", SCRIPTS.strip().splitlines())
def test_scripts_are_read(line: str) -> None:
    script, ends, signal = line.rsplit(" | ", 2)
    found = behaviour_of(shell(script))
    lasts, code = ends.split()
    assert found.lasts == (None if lasts == "-" else float(lasts) * SECOND)
    assert found.exit.code == int(code)
    name, *taken = signal.split()
    reaction = found.reaction(f"SIG{name}")
    if taken == ["-"]:
        assert reaction is None
        return
    assert reaction is not None
    waits = found.busy_for(SECOND // 2) if reaction.waits else 0
    assert [str(reaction.exit.code), f"{(waits + reaction.after) / SECOND:g}"] == taken


def test_a_program_by_itself() -> None:
    found = behaviour_of(Task(name="t", config={"command": "/bin/sleep", "args": ["5"]}))
    assert found.lasts == 5 * SECOND


@pytest.mark.parametrize(
    "script",
    ["redis-server", "sleep $X", "sleep 1 &", "while true; do :; done", "if true; then exit; fi",
     "while [ -e x ]; do sleep 1; done", "exit $?", "trap 'rm x' EXIT", "sleep 'x", "while true"],
)  # fmt: skip
def test_what_it_does_not_understand_is_said(script: str) -> None:
    with pytest.raises(UnreadableError):
        behaviour_of(shell(script))
