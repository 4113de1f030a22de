"""What shells offer: commands, flags, and ids as they were seen last."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitops.cli import program
from gitops.cli.completing import offers
from gitops.known import Row
from tests.cli.place import Place, Said

KNOWN: Mapping[str, list[Row]] = {
    "job": [("web", "service"), ("worker", "batch"), ("api@prod", "service")],
    "alloc": [
        ("a1b2c3d4-0000-0000-0000-000000000001", "web.app[0] running"),
        ("a1b2c3d4-0000-0000-0000-000000000002", "web.app[1] running"),
        ("ffb2c3d4-0000-0000-0000-000000000003", "worker.x[0] complete"),
    ],
    "node": [("h1", "11112222")],
    "deployment": [("d0000000-1", "web running")],
    "eval": [("e0000000-1", "web job-register")],
    "host": [("h1", "web"), ("h2", "web"), ("$(reboot)", "odd")],
    "group": [("web", "group"), ("all", "group")],
    "service": [("web-http", "web")],
}


def offered(line: str) -> list[str]:
    """The words offered at the end of a line, which has its blanks."""
    return [word for word, _ in offers(line.split(" ")[1:], lambda: KNOWN, tells=False)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("orch pl", ["plan"]),
        ("orch st", ["stop", "start", "status"]),
        ("orch alloc s", ["status", "stop", "signal"]),
        ("orch job allo", ["allocs"]),
        ("orch nosuch ", []),
        ("orch job nosuch ", []),
        ("orch plan -ch", []),
        ("orch run -ch", ["-check-index"]),
        ("orch run --ch", ["--check-index"]),
        ("orch job run -check", ["-check-index"]),
        ("orch plan -format ", ["text", "json", "markdown"]),
        ("orch plan -format=m", ["markdown"]),
        ("orch plan -format = j", ["json"]),
        ("orch plan -format =", ["text", "json", "markdown"]),
        ("orch plan -hcl2-strict f", ["false"]),
        ("orch plan ", []),
        ("orch plan -out ", []),
        ("orch stop w", ["web", "worker"]),
        ("orch stop -yes web wo", ["worker"]),
        ("orch job status a", ["api@prod"]),
        ("orch inspect web ", []),
        ("orch inspect -version 1 we", ["web"]),
        ("orch alloc status a", ["a1b2c3d4"]),
        (
            "orch alloc status a1b2c3d4-",
            ["a1b2c3d4-0000-0000-0000-000000000001", "a1b2c3d4-0000-0000-0000-000000000002"],
        ),
        ("orch alloc logs -job w", ["web", "worker"]),
        ("orch alloc logs -tail ", ["a1b2c3d4", "ffb2c3d4"]),
        ("orch alloc logs a1b2c3d4 -std", ["-stderr", "-stdout"]),
        ("orch alloc fs -n 3 f", ["ffb2c3d4"]),
        ("orch alloc exec f", ["ffb2c3d4"]),
        ("orch alloc exec ffb2c3d4 l", []),
        ("orch exec -t", ["-task"]),
        ("orch exec ffb2c3d4 -- -t", []),
        ("orch logs w", ["web", "worker"]),
        ("orch logs f", ["ffb2c3d4"]),
        ("orch eval list -job w", ["web", "worker"]),
        ("orch node status h", ["h1", "h2"]),
        ("orch deployment status ", ["d0000000"]),
        ("orch eval status ", ["e0000000"]),
        ("orch service info ", ["web-http"]),
        ("orch hosts exec ", ["h1", "h2", "web", "all"]),
        ("orch plan -limit w", ["web"]),
        ("orch status ", ["web", "worker", "api@prod", "a1b2c3d4", "ffb2c3d4", "h1", "d0000000",
                          "e0000000"]),
        ("orch", ["init", "dev"]),
    ],
)  # fmt: skip
def test_what_is_offered(line: str, words: list[str]) -> None:
    found = offered(line)
    assert found[: len(words)] == words if line == "orch" else found == words


def test_every_command_has_offers_for_flags() -> None:
    assert "-json" in offered("orch status -")
    assert all(w.startswith("-") for w in offered("orch job plan -"))


# -- what was seen last ---------------------------------------------------------------------------


def completed(place: Place, shell: str, *words: str, cwd: Path | None = None, **more: str) -> Said:
    """What the program prints for a shell, as a process of its own."""
    command = (sys.executable, "-c", "from gitops.main import main; main()", *words)
    environment = {**os.environ, **place.environment, "_ORCH_COMPLETE": shell, **more}
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd or place.cwd,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return Said(done.returncode, done.stdout, done.stderr)


def test_ids_are_those_that_were_seen_last(place: Place) -> None:
    assert completed(place, "bash", "stop", "") == Said(0, "", "")
    (alloc,) = json.loads(place.orch("job", "allocs", "-json", "web").out)
    short = alloc["ID"][:8]
    before = place.print_of()
    assert completed(place, "bash", "stop", "w").out == "web\n"
    assert completed(place, "fish", "alloc", "logs", "").out == f"{short}\tweb.app[0] running\n"
    assert completed(place, "zsh", "alloc", "logs", short).out == f"{short}:web.app[0] running\n"
    assert completed(place, "bash", "node", "status", "").out == "dev\n"
    assert completed(place, "bash", "hosts", "exec", "al").out == "all\n"
    assert place.print_of() == before
    # Nothing is asked: it is the same with neither.
    shutil.rmtree(place.ledger)
    (place.clone / "inventory.yml").unlink()
    place.environment["ORCH_INVENTORY"] = "/nonexistent"
    assert completed(place, "bash", "stop", "w").out == "web\n"


def test_it_never_fails(place: Place, tmp_path: Path) -> None:
    nothing = Said(0, "", "")
    place.orch("status")
    for damage in ("", "x\nno json", "x\n[]", 'x\n{"job": [1]}', "\0"):
        for path in (place.root / "cache/orch/known").glob("*"):
            path.write_text(damage)
        assert completed(place, "bash", "stop", "") == nothing
    assert completed(place, "bash", "stop", "", cwd=tmp_path) == nothing
    assert completed(place, "bash", "stop", "", HOME="", XDG_CACHE_HOME="/proc/none") == nothing
    place.write("orch.toml", "no toml [")
    assert completed(place, "nosuch", "stop", "") == nothing
    assert completed(place, "bash").code == 0
    assert completed(place, "bash", "plan", "-\udcff").code == 0


def test_a_cache_that_cannot_be_written_is_no_trouble(place: Place) -> None:
    (place.root / "cache/orch").mkdir(parents=True, exist_ok=True)
    (place.root / "cache/orch/known").write_text("in the way")
    assert place.orch("status").code == 0


def test_jobs_that_are_gone_are_offered_no_more(place: Place) -> None:
    place.orch("status")
    assert completed(place, "bash", "stop", "").out == "web\n"
    known = place.root / "cache/orch/known"
    (ids,) = known.glob("*.ids.json")
    before = ids.stat()
    place.orch("status")
    assert ids.stat().st_mtime_ns == before.st_mtime_ns
    assert ids.stat().st_mode & 0o077 == 0 or known.stat().st_mode & 0o077 == 0


# -- the scripts ----------------------------------------------------------------------------------


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert program.run(["completion", shell]) == 0
    return capsys.readouterr().out


def in_bash(tmp_path: Path, text: str, words: str, number: int) -> list[str]:
    """What bash has for a word of a line, with this orch on its PATH."""
    (tmp_path / "orch").write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "from gitops.main import main; main()" "$@"\n'
    )
    (tmp_path / "orch").chmod(0o755)
    asks = f'COMP_WORDS=({words}); COMP_CWORD={number}; _orch; printf "%s\\n" "${{COMPREPLY[@]}}"'
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    done = subprocess.run(
        ("bash", "-euc", f"{text}\n{asks}"),
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return done.stdout.split()


def test_bash_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = script("bash", capsys)
    assert in_bash(tmp_path, text, "orch pl", 1) == ["plan"]
    assert in_bash(tmp_path, text, "orch alloc ''", 2)[:2] == ["status", "logs"]
    assert in_bash(tmp_path, text, "orch run -check", 2) == ["-check-index"]
    assert in_bash(tmp_path, text, "orch plan -format = m", 4) == ["markdown"]
    assert in_bash(tmp_path, text, "orch pl -json", 1) == ["plan"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert f"_ORCH_COMPLETE={shell}" in text
    assert "{" * 2 not in text
    assert all(len(line) <= 100 for line in text.splitlines())
    if program_path := shutil.which(shell):
        subprocess.run((program_path, "-n"), input=text, text=True, check=True)
