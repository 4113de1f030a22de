"""The README fits a few screens, and its pictures and plan are those of the program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from executors.driver import find
from tests.demo import library
from tests.demo.library import ROOT
from tests.demo.normal import normal
from tests.demo.page import pieces
from tests.demo.stage import silent

README = ROOT / "README.md"
# Two or three screens of a terminal.
LINES = 120


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= LINES


def test_first_page_and_its_pictures_are_what_happens() -> None:
    difference = library.difference(library.FIRST, library.played(library.FIRST, silent))

    # If it differs for a good reason: make demo-write, and read the diff.
    assert not difference, difference


def test_readme_names_the_drivers_that_there_are() -> None:
    last = README.read_text().partition("Early days:")[2]

    assert {find(name).name for name in re.findall(r"\(`(\w+)`\)", last)} == {"raw_exec", "docker"}


def test_pictures_of_the_readme_are_drawn_by_pages() -> None:
    shown = {Path(p) for p in re.findall(r"!\[[^]]*\]\((.*?)\)", README.read_text())}
    drawn = {p.picture for path in library.pages() for p in pieces(path.read_text())}

    assert shown == {Path(f"docs/pictures/{name}.svg") for name in ("plan", "apply", "status")}
    assert {p.stem for p in shown} <= drawn


def test_pictures_need_nothing_from_elsewhere() -> None:
    for path in library.PICTURES.glob("*.svg"):
        text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?:|url\((?!#)|@import|<script|<image", text), path


def test_interrupted_story_removes_its_tasks_processes_and_files(tmp_path: Path) -> None:
    story = subprocess.Popen(
        [sys.executable, "-m", "tests.demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert story.stdout
    with story, story.stdout:
        # A task runs.
        assert any(re.search('Allocation ".*" created', line) for line in story.stdout)
        assert _processes(tmp_path)
        story.send_signal(signal.SIGINT)
        story.stdout.read()

    assert story.returncode == 130
    assert _processes(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def _processes(directory: Path) -> list[bytes]:
    found = [_words(p) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [words for words in found if f"{directory}/".encode() in words]


def _words(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_normal_form_replaces_what_differs_and_is_its_own() -> None:
    text = (
        "$ orch run x\n"
        "Observed 1 of 2 hosts…\n"
        'Allocation "0123abcd" on "89abcdef", again "0123abcd"\n'
        f"{_look('2026-05-06T07:08:09Z', 0)}{_look('2026-05-06T07:08:10Z', 1)}\n"
        "3m2s ago  now\n"
        "/tmp/orch-demo-x1/hello http=23456\n"
    )
    once = normal(text)

    first, second, third = re.findall('"([0-9a-f]{8})"', once)
    assert (first, second) != ("0123abcd", "89abcdef")
    assert first == third != second
    assert once.count("Deployed") == 1
    assert "1s ago   now" in once
    assert "/home/you/hello http=21234" in once
    assert "Observed" not in once
    assert normal(once).count("\n") == once.count("\n")


def _look(time: str, healthy: int) -> str:
    return (
        f"\n{time}\nID          = 11112222\nJob ID      = x\n\n"
        f"Deployed\nTask Group  Healthy\nweb         {healthy}\n"
    )
