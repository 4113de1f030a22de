"""Ctrl-C and SIGTERM during an apply: the step in hand is ended, nothing is lost or doubled."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from executors.boundary import Boundary
from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, Place, Said, ended, job, process_environment

APPLY = ("apply", "-auto-approve")
ASKED = "Stopping after the step in hand. Once more stops at once.\n"
END = (
    "Error: interrupted\n\n"
    "What was begun is recorded. Go on: the same command, or 'orch apply -resume'.\n"
)


def pair(greeting: str, healthy: str = "0s") -> str:
    """A job of two allocations, of which one at a time is replaced for another greeting."""
    update = f'count = 2\nupdate {{\n min_healthy_time = "{healthy}"\n healthy_deadline = "90s"\n}}'
    return job("two", group=update, task=f'env {{\n GREETING = "{greeting}"\n}}')


def ordered(order: str) -> str:
    """Settings by which updates do that first."""
    return f'{CONFIG}\n[scheduler]\nupdate_order = "{order}"\n'


@pytest.fixture
def fresh(place: Place, background: Background, tmp_path: Path) -> Generator[Place]:
    """A place with a host and a ledger of its own, both empty, and one job to apply."""
    shutil.rmtree(place.ledger)
    place.git("rm", "-q", "jobs/web.nomad.hcl")
    place.commit("jobs/two.nomad.hcl", pair("hello"))
    with background.serving(DevHost(tmp_path / "dev")) as host:
        place.environment["ORCH_INVENTORY"] = str(host.inventory)
        place.host = host.data_dir
        yield place
        place.spawn("stop", "-yes", "two")
        assert ended(place.host) == 0


def live(place: Place) -> list[tuple[str, str]]:
    """The names and ids of what is decided to run."""
    found = json.loads(place.spawn("status", "-json", "two").out)["Allocations"]
    return [(a["Name"], a["ID"]) for a in found if a["DesiredStatus"] == "run"]


def running(place: Place) -> dict[str, str]:
    """The ids of what is decided to run, by name."""
    found = live(place)
    assert len(dict(found)) == len(found)
    return dict(found)


def tasks(place: Place) -> list[str]:
    """The allocations whose task runs on the host, by what the kernel says, each as often."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
            program = (entry / "cmdline").read_bytes().split(b"\0")[0] if words else b""
        except OSError:
            continue
        ids = [w.partition(b"=")[2].decode() for w in words if w.startswith(b"NOMAD_ALLOC_ID=")]
        here = any(w.startswith(f"NOMAD_TASK_DIR={place.host}/".encode()) for w in words)
        found += ids if here and program.endswith(b"sleep") else []
    return sorted(found)


def stopped_at(place: Place, number: signal.Signals, boundary: Boundary) -> Said:
    """Apply, and get a signal once at a boundary."""
    words = (number.name, boundary.name, "1", "jobs/two.nomad.hcl")
    done = subprocess.run(
        (sys.executable, "-m", "tests.acceptance.interrupter", *words),
        cwd=place.cwd,
        env=process_environment(place.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def assert_ends_well(place: Place, decided: dict[str, str]) -> None:
    """Nothing is held; the next apply goes on with what was decided, and then all is done."""
    status = json.loads(place.spawn("ledger", "status", "-json").out)
    assert status["Runs"] == []
    said = place.spawn(*APPLY)
    assert said.code == 0, said
    assert "was interrupted" not in said.err
    after = running(place)
    assert sorted(after) == ["two.g[0]", "two.g[1]"]
    assert tasks(place) == sorted(after.values())
    assert set(decided.values()) <= set(after.values())
    assert place.spawn("plan", "-detailed-exitcode").code == 0


@pytest.mark.parametrize("boundary", [Boundary.PLANNED, Boundary.BEGUN])
def test_before_anything_is_started_nothing_is(fresh: Place, boundary: Boundary) -> None:
    said = stopped_at(fresh, signal.SIGINT, boundary)
    assert (said.code, said.err.count(ASKED)) == (130, 1), said
    assert said.err.endswith(END)
    assert tasks(fresh) == []
    assert_ends_well(fresh, {})


@pytest.mark.parametrize(
    ("number", "boundary"),
    [
        (signal.SIGINT, Boundary.INTENDED),
        (signal.SIGTERM, Boundary.STARTED),
        (signal.SIGINT, Boundary.RECORDED),
    ],
)
def test_a_wave_in_hand_is_ended(fresh: Place, number: signal.Signals, boundary: Boundary) -> None:
    said = stopped_at(fresh, number, boundary)
    assert (said.code, said.err.count(ASKED)) == (130, 1), said
    begun = running(fresh)
    assert tasks(fresh) == sorted(begun.values())
    assert len(begun) == 2
    assert_ends_well(fresh, begun)


@pytest.mark.parametrize("boundary", [Boundary.STOPPED, Boundary.STARTED])
def test_of_a_rolling_update_the_rest_waits(fresh: Place, boundary: Boundary) -> None:
    fresh.commit("orch.toml", ordered("stop-first"))
    assert fresh.spawn(*APPLY).code == 0
    old = running(fresh)
    fresh.commit("jobs/two.nomad.hcl", pair("changed"))
    said = stopped_at(fresh, signal.SIGINT, boundary)
    assert said.code == 130, said
    between = running(fresh)
    assert len(set(between.values()) & set(old.values())) == 1
    assert tasks(fresh) == sorted(between.values())
    new = {n: i for n, i in between.items() if i not in old.values()}
    assert_ends_well(fresh, new)
    assert not set(running(fresh).values()) & set(old.values())


@pytest.mark.parametrize("boundary", [Boundary.STOPPED, Boundary.STARTED])
def test_of_an_update_that_starts_first_old_and_new_run_until_it_goes_on(
    fresh: Place, boundary: Boundary
) -> None:
    fresh.commit("orch.toml", ordered("start-first"))
    assert fresh.spawn(*APPLY).code == 0
    old = running(fresh)
    fresh.commit("jobs/two.nomad.hcl", pair("changed"))
    said = stopped_at(fresh, signal.SIGINT, boundary)
    assert said.code == 130, said
    between = live(fresh)
    # One has started beside the old one, which stays; no other name runs twice, and none lacks.
    names = [name for name, _ in between]
    assert sorted(set(names)) == ["two.g[0]", "two.g[1]"]
    assert len(names) == 3
    assert tasks(fresh) == sorted(alloc for _, alloc in between)
    assert_ends_well(fresh, {i: i for _, i in between if i not in old.values()})
    assert not set(running(fresh).values()) & set(old.values())


def test_twice_stops_at_once(fresh: Place) -> None:
    fresh.commit("jobs/two.nomad.hcl", pair("hello", healthy="60s"))
    with fresh.process(*APPLY) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        told: list[str] = []
        for line in process.stderr:
            told.append(line)
            if " created: " in line and len(told) < 100:
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGTERM)
                break
        told.append(process.stderr.read())
        process.stdout.read()
        assert process.wait(timeout=180) == 130
    assert "".join(told).endswith(END)
    assert "Traceback" not in "".join(told)
    begun = running(fresh)
    fresh.commit("jobs/two.nomad.hcl", pair("hello"))
    assert fresh.spawn(*APPLY).code == 0
    assert set(running(fresh)) == {"two.g[0]", "two.g[1]"}
    assert tasks(fresh) == sorted(running(fresh).values())
    assert begun


def test_a_command_that_waits_for_nothing_in_hand_says_so_in_json(fresh: Place) -> None:
    fresh.commit("jobs/two.nomad.hcl", pair("hello", healthy="60s"))
    with fresh.process(*APPLY, "-json") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            if " created: " in line:
                process.send_signal(signal.SIGTERM)
                break
        process.stderr.read()
        data = json.loads(process.stdout.read())
        assert process.wait(timeout=180) == 130
    assert [o["Outcome"] for o in data["Outcomes"]] == ["interrupted"]
