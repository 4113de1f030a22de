"""`orch status -watch`: redrawn on a terminal, a block or a line of JSON a change elsewhere."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, WEB, Place, ended, made, place_on

PATIENCE = 120.0
OFTEN = ("-watch", "-interval", "200ms")


@pytest.fixture
def shop(
    tmp_path: Path,
    background: Background,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[Place]:
    """A job that runs on a host of its own."""
    with background.serving(DevHost(tmp_path / "host")) as host:
        files = {"orch.toml": CONFIG, "jobs/web.nomad.hcl": WEB.replace("static = @port@", "")}
        empty = replace(place_on(host, tmp_path), capsys=capsys, monkeypatch=monkeypatch)
        place = made(empty, files)
        said = place.orch("apply", "-auto-approve")
        assert said.code == 0, said.err
        yield place
        place.orch("stop", "-yes", "web")
        assert ended(place.host) == 0


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """All that is printed up to a line with this word in it."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(said)


def left(process: subprocess.Popen[str]) -> str:
    """Leave as a user does; return what else was printed."""
    process.send_signal(signal.SIGINT)
    with process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    return out


def test_a_pipe_gets_a_block_when_something_has_changed(shop: Place) -> None:
    process = shop.process("status", *OFTEN)
    first = read_until(process, "web ")
    assert re.match(r"==> \S+Z\nID +Type", first)
    assert "running" in first
    assert shop.orch("stop", "-yes", "web").code == 0
    second = read_until(process, "dead (stopped)")
    assert "\n\n==> " in first + second
    # ages and times of day are no news
    assert len(re.findall("==> ", first + second + left(process))) <= 4


def test_programs_get_a_line_of_json_a_change(shop: Place) -> None:
    process = shop.process("job", "status", "-json", *OFTEN, "web")
    first = json.loads(read_until(process, "web"))
    assert first["Job"]["Stop"] is False
    assert shop.orch("stop", "-yes", "web").code == 0
    assert process.stdout is not None
    while not json.loads(process.stdout.readline())["Job"]["Stop"]:
        pass
    left(process)


def test_a_terminal_is_redrawn_until_control_c(shop: Place) -> None:
    code, said = shop.on_a_terminal("status", *OFTEN, "web", typed=[(b"\x1b[1A\x1b[2K", b"\x03")])
    assert code == 0
    assert said.count(b"ID            = web") >= 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-watch", "nothing"), "nothing"),
        (("-interval", "1s"), "'-interval' goes with '-watch'"),
        (("-watch", "-interval", "0s"), "-interval"),
        (("-watch", "-interval", "soon"), "-interval"),
    ],
)
def test_what_is_wrong_is_told_at_once(place: Place, words: tuple[str, ...], told: str) -> None:
    said = place.orch("status", *words)
    assert said.code == 1
    assert told in said.err
