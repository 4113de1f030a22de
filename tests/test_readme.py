"""The story in the README is the one that the program tells; and nothing of it stays behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.demo.normal import normal
from tests.demo.readme import README, told, with_story
from tests.demo.story import STORY

ROOT = README.parent


def test_readme_shows_what_the_story_shows() -> None:
    readme = README.read_text()

    # If it differs for a good reason: make demo-write
    assert with_story(readme, told(lambda _: None)) == readme


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
        # A task runs, and the rollout is still waiting for its health.
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


def test_commands_of_the_story_are_those_that_a_reader_can_type() -> None:
    for step in STORY:
        assert "\n" not in step.command
        assert "tests/" not in step.command
