"""Allocations handled from the command line: commands beside tasks, signals, restarts, stops."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, ORCH, Place, Said, made, place_on, process_environment

JOB = """\
job "handled" {
  update {
    min_healthy_time = "0s"
    healthy_deadline = "90s"
  }
  group "app" {
    restart {
      attempts = 0
      mode     = "fail"
    }
    task "server" {
      driver       = "raw_exec"
      kill_timeout = "1s"
      env { GREETING = "hello" }
      config {
        command = "sh"
        args    = ["-c", "trap 'echo got it' USR1; echo up; while :; do sleep 0.1; done"]
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
"""


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass
class Handled:
    """A place where a job runs. One for all tests: hosts remember what ledgers decided."""

    place: Place
    name: str = "handled"
    file: str = "jobs/handled.nomad.hcl"

    def orch(self, *argv: str) -> Said:
        return self.place.orch(*argv)

    def allocs(self) -> list[dict[str, str]]:
        whole = json.loads(self.orch("status", "-json", self.name).out)
        return cast("list[dict[str, str]]", whole["Allocations"])

    def alloc(self) -> str:
        """The allocation that should run; its task listens to signals by now."""
        (found,) = (a["ID"] for a in self.allocs() if a["DesiredStatus"] == "run")
        eventually(lambda: "up\n" in self.orch("logs", found).out)
        return found

    def task(self, alloc: str) -> dict[str, Any]:
        said = self.orch("alloc", "status", "-json", alloc)
        (task,) = json.loads(said.out)["TaskStates"].values()
        return cast("dict[str, Any]", task)

    def execute(self, *argv: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            (*ORCH, *argv),
            cwd=self.place.cwd,
            env=process_environment(self.place.environment),
            input=stdin,
            capture_output=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def root(
    background: Background, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Path, DevHost]]:
    """A clone, a ledger and a host of their own, on which the job runs."""
    root = tmp_path_factory.mktemp("handled")
    with background.serving(DevHost(root / "dev")) as dev:
        files = {"orch.toml": CONFIG, "jobs/handled.nomad.hcl": JOB}
        place = made(place_on(dev, root), files)
        said = place.spawn("apply", "-auto-approve")
        assert said.code == 0, said.err
        yield root, dev
        said = place.spawn("stop", "-yes", "handled")
        assert said.code == 0, said.err


@pytest.fixture
def handled(
    root: tuple[Path, DevHost],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Handled:
    folder, dev = root
    return Handled(replace(place_on(dev, folder), capsys=capsys, monkeypatch=monkeypatch))


def test_a_command_beside_a_task(handled: Handled) -> None:
    found = handled.alloc()
    script = 'echo "$GREETING"; pwd; cat; echo bad >&2; exit 7'
    binary = bytes(range(256)) * 1000
    done = handled.execute("exec", found[:8], "--", "sh", "-c", script, stdin=binary)
    where = handled.place.host / "alloc" / found / "server"
    assert (done.returncode, done.stderr) == (7, b"bad\n")
    assert done.stdout == f"hello\n{where}\n".encode() + binary


@pytest.mark.parametrize(
    ("argv", "code", "out"),
    [
        (("exec", "ALLOC", "server", "--", "printf", "%s|", "-la", "--x"), 0, b"-la|--x|"),
        (("alloc", "exec", "-i=false", "-t=false", "ALLOC", "cat"), 0, b""),
        (("alloc", "exec", "-task", "server", "ALLOC", "sh", "-c", "exit 3"), 3, b""),
        (("alloc", "exec", "-job", "JOB", "echo", "-verbose"), 0, b"-verbose\n"),
        (("exec", "ALLOC", "--", "sh", "-c", "kill -9 $$"), 137, b""),
        (("exec", "ALLOC", "--", "/no/such"), 127, b""),
        (("exec", "ALLOC", "nosuch", "--", "true"), 1, b""),
        (("exec", "ALLOC"), 1, b""),
    ],
)
def test_commands_and_their_codes(
    handled: Handled, argv: tuple[str, ...], code: int, out: bytes
) -> None:
    names = {"ALLOC": handled.alloc()[:8], "JOB": handled.name}
    words = [names.get(w, w) for w in argv]
    done = handled.execute(*words, stdin=b"ignored" if "-i=false" in words else b"")
    assert (done.returncode, done.stdout) == (code, out), done.stderr


def test_a_terminal_for_a_command(handled: Handled) -> None:
    script = "tty >/dev/null && stty size; exit 5"
    code, said = handled.place.on_a_terminal("exec", handled.alloc()[:8], "--", "sh", "-c", script)
    assert code == 5, said
    assert re.search(rb"\d+ \d+\r\n", said), said


def test_the_escape_key_leaves_a_terminal(handled: Handled) -> None:
    command = ("--", "sh", "-c", "echo ready; exec cat")
    alloc = handled.alloc()[:8]
    typed = ((b"ready", b"one\r"), (b"one\r\none", b"~."))
    code, said = handled.place.on_a_terminal("exec", alloc, *command, typed=typed)
    assert (code, said.count(b"one"), b"Connection closed" in said) == (1, 2, True), said
    typed = ((b"ready", b"~.\r"), (b"~.\r\n~.", b"\x04"))
    words = ("alloc", "exec", "-e", "none", alloc, *command[1:])
    code, said = handled.place.on_a_terminal(*words, typed=typed)
    assert (code, said.count(b"~.")) == (0, 2), said


@pytest.mark.parametrize(
    ("argv", "out"),
    [
        ("alloc logs -stderr ALLOC", ""),
        ("alloc logs -tail -n 1 -job handled", "up\n"),
        ("alloc logs -tail -c 3 ALLOC server", "up\n"),
        ("logs -n 1 -since 1h handled", "up\n"),
        ("logs -stderr handled server", ""),
    ],
)
def test_what_a_task_has_written(handled: Handled, argv: str, out: str) -> None:
    words = argv.replace("ALLOC", handled.alloc()[:8]).split()
    done = handled.execute(*words)
    assert (done.returncode, done.stdout.decode()) == (0, out), done.stderr


def test_logs_are_followed_through_restarts_and_losses(
    handled: Handled, root: tuple[Path, DevHost], background: Background
) -> None:
    found = handled.alloc()
    with handled.place.process("logs", "-f", "-n", "1", "handled") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "up\n"
        background.call(root[1].hang_up())
        assert "connection lost" in process.stderr.readline()
        assert handled.orch("alloc", "restart", found[:8]).code == 0
        assert process.stdout.readline() == "up\n"
        assert process.stderr.readline() == "dev: connected again\n"
        assert handled.orch("alloc", "signal", "-s", "SIGUSR1", found[:8]).code == 0
        assert process.stdout.readline() == "got it\n"
        process.terminate()
        assert "Traceback" not in process.stderr.read()


def test_following_one_is_over_when_it_is_and_of_a_job_goes_on(handled: Handled) -> None:
    found = handled.alloc()
    place = handled.place
    with (
        place.process("logs", "-f", "-n", "1", found[:8]) as one,
        place.process("logs", "-f", "-n", "1", "handled") as job,
    ):
        assert one.stdout is not None
        assert one.stdout.readline()
        assert job.stdout is not None
        assert job.stdout.readline()
        assert job.stderr is not None
        assert handled.orch("alloc", "stop", found[:8]).code == 0
        out, _ = one.communicate(timeout=180)
        assert (one.returncode, out) == (0, "")
        # Whose output it is was said for none, and is from now on.
        label = f"handled.app[0] {handled.alloc()[:8]} server"
        assert f"{label}: followed from now on\n" in iter(job.stderr.readline, "")
        assert job.stdout.readline() == f"{label} | up\n"
        assert handled.orch("alloc", "stop", handled.alloc()[:8]).code == 0
        assert f"{label}: its output has ended\n" in iter(job.stderr.readline, "")
        job.terminate()
    gone = handled.execute("logs", found[:8])
    assert gone.stdout.startswith(b"up\n")


def test_a_signal_and_a_restart(handled: Handled) -> None:
    found = handled.alloc()
    assert handled.orch("alloc", "signal", "-s", "SIGUSR1", found[:8]).code == 0
    assert handled.orch("alloc", "restart", found[:8], "server").code == 0
    # Its supervisor takes note of the end that it was brought to.
    eventually(lambda: handled.task(found[:8])["Restarts"] >= 1)
    kinds = [e["Type"] for e in handled.task(found[:8])["Events"]]
    assert {"Signaling", "Restart Signaled", "Restarting"} <= set(kinds)
    assert handled.alloc() == found
    assert handled.orch("plan", handled.file, "-detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("alloc", "signal", "-s", "BOGUS", "ALLOC"), "no signal 'BOGUS'"),
        (("alloc", "signal", "ALLOC", "nosuch"), "Could not find task named: nosuch"),
        (("alloc", "restart", "deadbeef"), 'No allocation(s) with prefix or id "deadbeef" found'),
        (("alloc", "restart", "-all-tasks", "ALLOC", "server"), "-all-tasks is not for one task"),
        (("alloc", "status", "d"), "Identifier must contain at least two characters."),
    ],
)
def test_what_is_refused(handled: Handled, argv: tuple[str, ...], words: str) -> None:
    said = handled.orch(*(handled.alloc()[:8] if w == "ALLOC" else w for w in argv))
    assert said.code == 1
    assert words in said.err


def test_what_is_stopped_is_replaced(handled: Handled) -> None:
    old = handled.alloc()
    said = handled.orch("alloc", "stop", old[:8])
    assert said.code == 0, said.err
    new = handled.alloc()
    by_id = {a["ID"]: a for a in handled.allocs()}
    assert new != old
    assert by_id[old]["DesiredDescription"] == "alloc is being migrated"
    assert by_id[old]["NextAllocation"] == new
    assert by_id[old]["ClientStatus"] == "complete"
    assert by_id[new]["JobVersion"] == by_id[old]["JobVersion"]
    evals = json.loads(handled.orch("eval", "list", "-job", handled.name, "-json").out)
    assert evals[0]["TriggeredBy"] == "alloc-stop"
    assert evals[0]["DesiredTGUpdates"] == {"app": {"migrate": 1}}
    shown = handled.orch("eval", "status", evals[0]["ID"][:8]).out
    assert "TriggeredBy        = alloc-stop" in shown
    assert len(json.loads(handled.orch("deployment", "list", "-json").out)) == 1
    assert handled.orch("plan", handled.file, "-detailed-exitcode").code == 0
    again = handled.orch("alloc", "stop", old[:8])
    assert "should not run, or has ended" in again.err
    assert "should not run" in handled.orch("alloc", "restart", old[:8]).err


def test_every_kind_of_id_has_a_status(handled: Handled) -> None:
    (deployment,) = (
        d
        for d in json.loads(handled.orch("deployment", "list", "-json").out)
        if d["JobID"] == handled.name
    )
    (evaluation, *_) = json.loads(handled.orch("eval", "list", "-json").out)
    (node,) = json.loads(handled.orch("node", "status", "-json").out)
    found = handled.alloc()
    for name, words in (
        (deployment["ID"][:12], "Job Version = 0"),
        (evaluation["ID"][:12], "TriggeredBy"),
        (node["ID"][:12], "Host Resource Utilization"),
        (found[:12], 'Task "server" is "running"'),
    ):
        said = handled.orch("status", name)
        assert said.code == 0, said.err
        assert words in said.out
    text = handled.orch("alloc", "status", "-stats", found[:12]).out
    assert re.search(r"\d+/20 MHz  [\d.]+ [KM]iB/16 MiB  300 MiB", text), text
    assert "Memory Stats" in text
