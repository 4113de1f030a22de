"""The replay of recordings, on the project's own small directory of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.oracle.__main__ import main
from tests.oracle.report import LIMIT
from tests.oracle.rules import IDS

OWN = Path(__file__).parent / "own"
CHECKS = 109


def replayed(directory: Path) -> tuple[int, list[str]]:
    said: list[str] = []
    return main([str(directory)], said.append), said


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the recordings, to be falsified."""
    return Path(shutil.copytree(OWN, tmp_path / "own"))


def test_orch_says_what_is_recorded() -> None:
    code, said = replayed(OWN)
    assert code == 0, "\n".join(said)
    assert said[-1] == f"{CHECKS} passed, 0 failed"
    touched = [line for line in said if line.startswith("rule ")]
    assert touched == [f"rule {rule}: 1 cases" for rule in IDS]


# A file, what is falsified in it, and the check that finds it.
LIES = """
cases/01-new/spec.json | "web" | "wet" | 01-new parse
cases/01-new/job.json | "Priority": 50 | "Priority": 51 | 01-new canonical
cases/01-new/validate.exit | 0 | 1 | 01-new validate
cases/07-word-for-a-number/validate.stderr | :3, | :4, | 07-word-for-a-number validate
cases/01-new/plan.txt | 2 create | 3 create | 01-new diff
cases/01-new/plan-verbose.txt | fast | slow | 01-new diff
cases/02-next-canary/plan.json | "Canary": 1 | "Canary": 2 | 02-next-canary json
cases/01-new/plan.exit | 1 | 0 | 01-new exit
expressions/cases.jsonl | WEB | web | expressions:1 expressions
placement/01-two-hosts/case.json | "cpu": 2 | "cpu": 1 | 01-two-hosts filters
placement/01-two-hosts/case.json | "binpack": 0.4 | "binpack": 0.5 | 01-two-hosts scores
timelines/01-roll/summary.json | "roll", "version": 1 | "roll", "version": 0 | 01-roll allocs
timelines/08-away/summary.json | "client": "unknown" | "client": "lost" | 08-away history
timelines/04-slowly/summary.json | "Waiting for shutdown delay" | "Driver" | 04-slowly tasks
timelines/01-roll/summary.json | 3.0, "status": "s | 3.0, "status": "uns | 01-roll deployments
timelines/09-fails/summary.json | 6.7, "desired": "run" | 16.7, "desired": "run" | 09-fails times
"""


@pytest.mark.parametrize("lie", LIES.strip().splitlines(), ids=lambda x: x.rpartition("| ")[2])
def test_every_difference_is_told(copy: Path, lie: str) -> None:
    file, true, false, told = lie.split(" | ")
    path = copy / file
    before = path.read_text()
    path.write_text(before.replace(true, false, 1))
    assert path.read_text() != before
    code, said = replayed(copy)
    assert code == 1
    assert said[-1] == f"{CHECKS - 1} passed, 1 failed"
    assert told in said
    shown = said[said.index(told) + 1 :]
    assert 0 < next(i for i, line in enumerate(shown) if not line.startswith("    ")) <= LIMIT + 1


def test_a_node_that_is_worse_is_a_difference_only_where_orch_takes_it(copy: Path) -> None:
    path = copy / "placement/01-two-hosts/case.json"
    case = json.loads(path.read_text())
    first = case["placements"][0]
    first["node"], first["scores"] = "b", first["scores"][1:]
    path.write_text(json.dumps(case))
    _, said = replayed(copy)
    assert "01-two-hosts choice" not in said
    first["scores"][0]["final"] = 0.9
    path.write_text(json.dumps(case))
    _, said = replayed(copy)
    assert "01-two-hosts choice" in said


def test_what_breaks_fails_its_own_checks_only(copy: Path) -> None:
    (copy / "cases/01-new/state.json").write_text("{")
    code, said = replayed(copy)
    assert code == 1
    assert [line for line in said if line.startswith("01-new ")] == [
        "01-new diff",
        "01-new json",
        "01-new exit",
    ]
    assert said[-1] == f"{CHECKS - 3} passed, 3 failed"


def test_parts_that_are_missing_are_skipped_and_said(copy: Path) -> None:
    for part in ("cases", "expressions", "placement", "timelines"):
        shutil.rmtree(copy / part)
    code, said = replayed(copy)
    assert code == 0
    assert [line.rpartition("/")[2] for line in said if line.startswith("skipped")] == [
        "cases: not there, or no node.json",
        "expressions: not there",
        "placement: not there",
        "timelines: not there",
    ]
    assert said[-1] == "0 passed, 0 failed"


@pytest.mark.parametrize(
    ("file", "true", "false", "told"),
    [
        ("scenario.json", "job run -detach", "job fly -detach", "a command: nomad job fly"),
        ("v1.hcl", "exec sleep 300", "redis-server", "a task's command: redis-server"),
    ],
)
def test_what_is_out_of_reach_is_said_and_no_pass(
    copy: Path, file: str, true: str, false: str, told: str
) -> None:
    path = copy / "timelines/01-roll" / file
    path.write_text(path.read_text().replace(true, false))
    code, said = replayed(copy)
    assert code == 0
    assert said[-1] == f"{CHECKS - 5} passed, 0 failed"
    assert [line for line in said if f"01-roll: not in reach: {told}" in line]


def test_blocks_of_one_name_have_no_order_of_their_own(copy: Path) -> None:
    path = copy / "cases/01-new/plan-verbose.txt"
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if "LogConfig {" in line)
    end = next(i for i in range(start, len(lines)) if lines[i].strip() == "}")
    block = lines[start : end + 1]
    other = [line.replace('"10"', '"11"') for line in block]
    for text in ([*block, *other], [*other, *block]):
        path.write_text("\n".join([*lines[:start], *text, *lines[end + 1 :]]))
        _, said = replayed(copy)
        first = said[said.index("01-new diff") :][:20]
        path.write_text("")
        assert first == [line for line in first if line]
