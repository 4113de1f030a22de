"""Applies that end early, hosts that fill up: nothing is lost, and the next apply converges."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import Place, Said, assert_fit_to_read, ended, job

QUICK = 'update {\n min_healthy_time = "0s"\n healthy_deadline = "90s"\n}'
# Slow enough to be interrupted while it waits for health.
SLOW = QUICK.replace("0s", "5s", 1)
SMALL = job(
    "new",
    group=f"{QUICK}\nephemeral_disk {{ size = 10 }}",
    task="logs {\n max_files = 1\n max_file_size = 1\n}",
)
APPLY = ("apply", "-auto-approve")


@pytest.fixture
def fresh(place: Place, background: Background, tmp_path: Path) -> Generator[Place]:
    """A place with a host and a ledger of its own, both empty, and one job to apply."""
    shutil.rmtree(place.ledger)
    place.git("rm", "-q", "jobs/web.nomad.hcl")
    place.commit("jobs/new.nomad.hcl", job("new", group=QUICK))
    with background.serving(DevHost(tmp_path / "dev")) as host:
        place.environment["ORCH_INVENTORY"] = str(host.inventory)
        place.host = host.data_dir
        yield place
        place.spawn("stop", "-yes", "new")
        assert ended(place.host) == 0


def allocs(place: Place) -> dict[str, str]:
    """Client status of the job's allocations by id."""
    said = place.spawn("status", "-json", "new")
    assert said.code == 0, said
    return {a["ID"]: a["ClientStatus"] for a in json.loads(said.out)["Allocations"]}


def one_sleeps(place: Place) -> bool:
    """Whether, in the end, one task runs: a shell is there before the program that it becomes."""
    end = time.monotonic() + 60
    while sleepers(place) != 1 and time.monotonic() < end:
        time.sleep(0.05)
    return sleepers(place) == 1


def sleepers(place: Place) -> int:
    """How many tasks run on the host, by what the kernel says."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
                cwd = os.readlink(entry / "cwd")  # noqa: PTH115
            except OSError:
                continue
            count += argv[0].endswith(b"sleep") and cwd.startswith(str(place.host))
    return count


def interrupted(place: Place, signum: int) -> Said:
    """Apply, and end it by a signal as soon as the task runs."""
    place.commit("jobs/new.nomad.hcl", job("new", group=SLOW))
    with place.process(*APPLY) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        told: list[str] = []
        for line in process.stderr:
            told.append(line)
            if " created: " in line:
                process.send_signal(signum)
                break
        err = "".join([*told, process.stderr.read()])
        out = process.stdout.read()
        code = process.wait(timeout=180)
    return Said(code, out, err)


def test_ctrl_c_loses_nothing(fresh: Place) -> None:
    said = interrupted(fresh, signal.SIGINT)
    assert said.code == 130, said
    assert "Traceback" not in said.err
    assert said.err.endswith(
        "Error: interrupted\n\n"
        "What was begun is recorded. Go on: the same command, or 'orch apply -resume'.\n"
    )
    assert_converges(fresh)


def test_what_a_killed_apply_began_is_taken_over(fresh: Place) -> None:
    assert interrupted(fresh, signal.SIGKILL).code == -signal.SIGKILL
    said = assert_converges(fresh)
    assert re.search(
        r"Run [0-9a-f]{8} was interrupted; an apply goes on with its work\.\n", said.err
    )


def test_an_interrupted_apply_is_resumed_from_any_clone(fresh: Place, tmp_path: Path) -> None:
    assert interrupted(fresh, signal.SIGKILL).code == -signal.SIGKILL
    began = allocs(fresh)
    (lock,) = json.loads(fresh.spawn("lock", "status", "-json").out)
    commit = fresh.git("rev-parse", "HEAD").strip()
    assert (lock["Holds"], lock["Status"], lock["Commit"]) == (["new"], "dead", commit)
    shown = fresh.spawn("lock", "status").out
    assert re.search(r"Status +=\ dead\n", shown)
    assert re.search(r"Last Entry +=\ \d+: \w+, ", shown)
    # Another clone, which has neither the commit nor the job any more.
    fresh.git("clone", "-q", str(fresh.clone), str(tmp_path / "other"))
    fresh.cwd = tmp_path / "other"
    fresh.git("rm", "-rqf", "jobs", cwd=fresh.cwd)
    said = fresh.spawn(*APPLY, "-resume")
    assert said.code == 0, said
    assert allocs(fresh) == dict.fromkeys(began, "running")
    assert one_sleeps(fresh)
    assert fresh.spawn("lock", "status").out == "No run holds a job\n"
    assert fresh.spawn(*APPLY, "-resume").out == "Nothing was interrupted\n"
    fresh.cwd = fresh.clone
    assert fresh.spawn("plan", "-detailed-exitcode").code == 0


def test_a_lock_is_broken_by_its_job_and_what_was_begun_goes_on(fresh: Place) -> None:
    assert interrupted(fresh, signal.SIGKILL).code == -signal.SIGKILL
    began = allocs(fresh)
    assert "needs approval" in fresh.spawn("lock", "break", "new").err
    said = fresh.spawn("lock", "break", "-force", "new")
    assert re.fullmatch(
        r"Run [0-9a-f]{8} is broken; it held new\. Go on with: orch apply -resume\n", said.out
    )
    assert fresh.spawn("lock", "status").out == "No run holds a job\n"
    assert fresh.spawn("lock", "break", "-force").code == 1
    said = fresh.spawn(*APPLY, "-resume")
    assert said.code == 0, said
    assert allocs(fresh) == dict.fromkeys(began, "running")


def test_a_run_that_lives_is_broken_and_touches_nothing_more(fresh: Place) -> None:
    fresh.commit("jobs/new.nomad.hcl", job("new", group=SLOW))
    with fresh.process(*APPLY) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if " created: " in line:
                break
        broken = json.loads(fresh.spawn("lock", "break", "-force", "-json", "new").out)
        assert broken["Jobs"] == ["new"]
        assert process.wait(timeout=180) == 3
        assert "was taken over by another one, or has ended" in process.stderr.read()
    assert fresh.spawn(*APPLY).code == 0
    assert one_sleeps(fresh)


def assert_converges(place: Place) -> Said:
    """Apply again: the same allocation, one task, nothing left to do."""
    began = allocs(place)
    assert len(began) == 1
    said = place.spawn(*APPLY)
    assert said.code == 0, said
    assert allocs(place) == dict.fromkeys(began, "running")
    assert one_sleeps(place)
    assert place.spawn("plan", "-detailed-exitcode").code == 0
    return said


def test_an_apply_goes_on_when_nobody_reads_what_it_says(fresh: Place) -> None:
    with fresh.process(*APPLY) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        assert process.wait(timeout=180) == 0
    assert list(allocs(fresh).values()) == ["running"]


def test_a_port_of_a_stranger(fresh: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        network = f'{QUICK}\nnetwork {{\n port "x" {{ static = {port} }}\n}}'
        fresh.commit("jobs/new.nomad.hcl", job("new", group=network))
        before = fresh.print_of()
        said = fresh.spawn("plan")
        assert said.code == 4
        assert_fit_to_read(said)
        assert f'* Dimension "network: reserved port collision x={port}" exhausted' in said.out
        assert fresh.print_of() == before
        assert fresh.spawn(*APPLY).code == 4
    assert sleepers(fresh) == 0
    assert fresh.spawn(*APPLY).code == 0
    assert one_sleeps(fresh)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk(fresh: Place) -> None:
    mount = ("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(fresh.host))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        full_disk(fresh, fresh.host / "filler")
    finally:
        unmounted(fresh.host)


def full_disk(place: Place, filler: Path) -> None:
    place.commit("jobs/new.nomad.hcl", SMALL)
    fill(filler)
    said = place.spawn(*APPLY)
    # The only host that could take it can't be written to: incomplete, and why.
    assert said.code == 4, said
    assert "Traceback" not in said.err
    assert f"dev: could not write {place.host} (0 kB free)" in said.err
    assert "make room there, or set orch_data_dir" in said.err
    assert sleepers(place) == 0
    filler.unlink()
    assert place.spawn(*APPLY).code == 0
    assert one_sleeps(place)
    # Later, what runs goes on.
    fill(filler)
    place.commit("jobs/new.nomad.hcl", SMALL.replace("600", "601"))
    said = place.spawn(*APPLY)
    assert said.code == 4, said
    assert "Traceback" not in said.err
    assert "dev: new: could not write " in said.err
    assert one_sleeps(place)
    filler.unlink()
    said = place.spawn(*APPLY)
    assert said.code == 0, said
    assert one_sleeps(place)
    assert place.spawn("stop", "-yes", "new").code == 0


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return


def unmounted(place: Path) -> None:
    """Take the disk away; what ended on it may need a moment to let go."""
    for _ in range(600):
        done = subprocess.run(("umount", str(place)), check=False, capture_output=True)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(("umount", "-l", str(place)), check=True)
