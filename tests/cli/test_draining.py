"""Nodes that take nothing new, and nodes that are emptied: what is said, and what runs where."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.job import SECOND
from tests.cli.background import Background
from tests.cli.place import Place
from tests.cli.test_job_verbs import SHOP
from tests.cli.two_hosts import place_on_two

FILE = "jobs/shop.nomad.hcl"
_FOUR = SHOP.replace("count = 1", 'count = 4\n    migrate { min_healthy_time = "0s" }')
# Without a deadline for progress nobody waits for room.
_UPDATE = 'update {\n    max_parallel      = 4\n    progress_deadline = "0s"'
JOB = _FOUR.replace("max = 3", "max = 9").replace("update {", _UPDATE)


@pytest.fixture
def pair(
    background: Background,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[Place]:
    with place_on_two(background, tmp_path, {FILE: JOB}) as (made, _):
        place = replace(made, capsys=capsys, monkeypatch=monkeypatch)
        assert place.orch("apply", "-auto-approve").code == 0
        yield place
        assert place.orch("stop", "-yes", "shop").code == 0


def allocs(place: Place) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(place.orch("job", "allocs", "-json", "shop").out)
    return found


def where(place: Place) -> list[str]:
    return sorted(a["NodeName"] for a in allocs(place) if a["DesiredStatus"] == "run")


def row(place: Place, name: str) -> list[str]:
    lines = place.orch("node", "status").out.splitlines()
    (found,) = (line.split() for line in lines[1:] if line.split()[3] == name)
    return found[-3:]


def test_an_ineligible_node_takes_nothing_new(pair: Place) -> None:
    assert row(pair, "b") == ["false", "eligible", "ready"]
    for name in ("a", "b"):
        said = pair.orch("node", "eligibility", "-disable", name)
        form = r'Node "[0-9a-f-]{36}" scheduling eligibility set: ineligible for scheduling\n'
        assert re.fullmatch(form, said.out), said
    assert row(pair, "b") == ["false", "ineligible", "ready"]
    before = where(pair)
    said = pair.orch("job", "scale", "shop", "5")
    assert said.code == 4
    assert "No nodes were eligible for evaluation" in said.out
    assert where(pair) == before
    said = pair.orch("node", "eligibility", "-enable", "b")
    assert said.out.endswith("set: eligible for scheduling\n")
    decided = json.loads(pair.orch("node", "eligibility", "-json", "-enable", "b").out)
    assert (decided["Name"], decided["Eligible"], decided["Drain"]) == ("b", True, None)
    assert pair.orch("job", "eval", "shop").code == 0
    assert where(pair) == sorted([*before, "b"])
    assert pair.orch("node", "eligibility", "b").code == 1


def test_a_drained_node_is_empty_and_stays_ineligible(pair: Place) -> None:
    full = where(pair)[0]
    other = {"a": "b", "b": "a"}[full]
    began = {a["ID"] for a in allocs(pair)}
    refused = pair.orch("node", "drain", "-enable", full)
    assert refused.code == 1
    assert "needs approval; nothing was changed" in refused.err
    said = pair.orch("node", "drain", "-enable", "-yes", full)
    assert said.code == 0, said
    assert where(pair) == [other] * 4
    told = [line.partition(": ")[2] for line in said.out.splitlines() if ": " in line]
    assert re.fullmatch(r'Node "[0-9a-f-]{36}" drain strategy set', told[0])
    assert re.fullmatch(r"Drain complete for node [0-9a-f-]{36}", told[-2])
    assert re.fullmatch(r'All allocations on node "[0-9a-f-]{36}" have stopped', told[-1])
    moved = [a for a in allocs(pair) if a["ID"] in began and a["NextAllocation"]]
    for alloc in moved:
        assert f'Alloc "{alloc["ID"]}" marked for migration' in told
        assert f'Alloc "{alloc["ID"]}" status running -> complete' in told
        assert alloc["DesiredDescription"] == "alloc is being migrated"
    # One at a time: its replacement has been well before the next one leaves.
    first, second = sorted(moved, key=lambda a: int(a["ModifyTime"]))
    (replacement,) = (a for a in allocs(pair) if a["PreviousAllocation"] == first["ID"])
    assert replacement["CreateTime"] < second["ModifyTime"]
    (evaluation, *_) = json.loads(pair.orch("eval", "list", "-json").out)
    assert evaluation["TriggeredBy"] == "node-drain"
    assert row(pair, full) == ["false", "ineligible", "ready"]
    assert len(json.loads(pair.orch("history", "-json", "shop").out)) == 1
    assert pair.orch("plan", "-detailed-exitcode").code == 0
    said = pair.orch("node", "drain", "-disable", full)
    assert said.out.endswith("drain strategy unset\n")
    assert row(pair, full) == ["false", "eligible", "ready"]


def test_by_force_all_leave_at_once(pair: Place) -> None:
    full = where(pair)[0]
    before = {a["ID"] for a in allocs(pair) if a["NodeName"] == full}
    said = pair.orch("node", "drain", "-enable", "-yes", "-force", "-json", full)
    assert said.code == 0, said
    assert full not in where(pair)
    drained = json.loads(said.out)
    assert (drained["Name"], drained["Eligible"], drained["Complete"]) == (full, False, True)
    assert {a["ID"] for a in drained["Moved"]} == before
    assert all(a["NextAllocation"] for a in drained["Moved"])
    assert "marked for migration" in said.err
    undone = json.loads(pair.orch("node", "drain", "-disable", "-json", full).out)
    assert (undone["Eligible"], undone["Drain"]) == (True, None)
    assert pair.orch("node", "drain", "-enable", "-force", "-no-deadline", "-yes", full).code == 1


def interrupt(place: Place, full: str) -> list[str]:
    """Start a drain, kill it when the first allocation has moved; return what has yet to leave."""
    drain = place.process("node", "drain", "-enable", "-yes", full)
    assert drain.stdout is not None
    for line in drain.stdout:
        if "status running -> complete" in line:
            break
    drain.kill()
    drain.communicate()
    return [name for name in where(place) if name == full]


SLOW = JOB.replace('min_healthy_time = "0s"', 'min_healthy_time = "3s"')


def crowded(place: Place) -> str:
    """Let one node hold all that runs, so that a drain of it takes several rounds."""
    assert place.orch("node", "drain", "-enable", "-yes", "-force", "b").code == 0
    assert place.orch("node", "drain", "-disable", "b").code == 0
    assert where(place) == ["a"] * 4
    place.commit(FILE, SLOW)
    assert place.orch("apply", "-auto-approve").code == 0
    return "a"


def test_the_next_apply_goes_on_with_a_drain_that_was_killed(pair: Place) -> None:
    full = crowded(pair)
    assert interrupt(pair, full)
    assert row(pair, full)[:2] == ["true", "ineligible"]
    planned = pair.orch("plan")
    assert "Node a is being drained: an apply of the whole repository goes on" in planned.err
    # What is narrowed to some jobs leaves nodes as they are.
    left = where(pair)
    assert pair.orch("apply", "-auto-approve", FILE).code == 0
    assert where(pair) == left
    said = pair.orch("apply", "-auto-approve", "-json")
    assert said.code == 0, said
    assert "Drain complete for node" in said.err
    assert where(pair) == ["b"] * 4
    assert row(pair, full)[:2] == ["false", "ineligible"]
    assert "being drained" not in pair.orch("plan").err


def test_a_reconcile_goes_on_with_it_too(pair: Place) -> None:
    full = crowded(pair)
    assert interrupt(pair, full)
    pair.environment["ORCH_LEDGER_URL"] = str(pair.ledger)
    said = pair.orch("reconcile", str(pair.clone))
    assert said.code == 0, said
    assert where(pair) == ["b"] * 4
    assert row(pair, full)[:2] == ["false", "ineligible"]


def test_a_drain_waits_for_what_another_one_has_moved(pair: Place) -> None:
    full = crowded(pair)
    assert interrupt(pair, full)
    assert pair.orch("node", "drain", "-disable", full).code == 0
    (fresh,) = (a for a in allocs(pair) if a["NodeName"] == "b" and a["DesiredStatus"] == "run")
    said = pair.orch("node", "drain", "-enable", "-yes", "b")
    assert said.code == 0, said
    assert where(pair) == ["a"] * 4
    (moved,) = (a for a in allocs(pair) if a["ID"] == fresh["ID"])
    # It was well by the group's `migrate` block before it had to leave again.
    assert moved["ModifyTime"] - fresh["CreateTime"] >= 3 * SECOND


def test_a_drain_that_somebody_ends_stops(pair: Place) -> None:
    full = crowded(pair)
    drain = pair.process("node", "drain", "-enable", "-yes", full)
    assert drain.stdout is not None
    for line in drain.stdout:
        if "status running -> complete" in line:
            break
    assert pair.orch("node", "drain", "-disable", full).code == 0
    _, err = drain.communicate()
    assert drain.returncode == 3, err
    assert f"somebody has ended the drain of {full}: what has not left stays" in err
    assert full in where(pair)
    assert row(pair, full)[:2] == ["false", "eligible"]


def test_what_an_interrupted_drain_has_told_to_stop_is_waited_for(pair: Place) -> None:
    stubborn = """job "shop" {
  group "web" {
    task "server" {
      driver       = "raw_exec"
      kill_timeout = "8s"
      config {
        command = "sh"
        args    = ["-c", "trap '' INT; while :; do sleep 0.2; done"]
      }
    }
  }
}
"""
    pair.commit(FILE, stubborn)
    assert pair.orch("apply", "-auto-approve").code == 0
    (old,) = (a for a in allocs(pair) if a["DesiredStatus"] == "run")
    full = old["NodeName"]
    drain = pair.process("node", "drain", "-enable", "-yes", full)
    for _ in range(300):
        if where(pair) != [full]:
            break
        time.sleep(0.1)
    # It is decided, and still runs.
    drain.kill()
    drain.communicate()
    said = pair.orch("node", "drain", "-enable", "-yes", full)
    assert said.code == 0, said
    (moved,) = (a for a in allocs(pair) if a["ID"] == old["ID"])
    assert moved["ClientStatus"] == "complete"
    (new,) = (a for a in allocs(pair) if a["ID"] == moved["NextAllocation"])
    assert (new["NodeName"] != full, new["ClientStatus"]) == (True, "running")
