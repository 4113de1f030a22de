"""Seeds that every run of the tests plays; `python -m tests.simulate` plays as many as asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulate.scenario import simulate

# In parts, so that several workers share them.
PARTS = 10
EACH = 30

# Seeds that have found a bug, which a test of its own holds since.
TELLING = (123, 266, 309, 419, 586, 680, 1091, 1130, 1154, 1326, 1795, 3055, 4218, 4321, 7287)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_promise_is_broken(part: int) -> None:
    first = 1 + part * EACH
    told = [simulate(seed) for seed in range(first, first + EACH)]
    broken = {t.seed: t.broken for t in told if t.broken}
    assert not broken, "play it again: python -m tests.simulate -seeds 1 -seed N"


@pytest.mark.parametrize("seed", TELLING)
def test_what_a_seed_has_found_is_mended(seed: int) -> None:
    assert not simulate(seed).broken


def test_no_promise_is_broken_over_a_real_repository(tmp_path: Path) -> None:
    told = [simulate(seed, git=tmp_path / str(seed)) for seed in (1, 20)]
    assert not {t.seed: t.broken for t in told if t.broken}


def test_a_seed_tells_the_same_story_again() -> None:
    assert [simulate(seed) for seed in (2, 20)] == [simulate(seed) for seed in (2, 20)]


def test_a_seed_tells_the_same_story_in_another_process() -> None:
    stories = {_played("7", hashes) for hashes in ("1", "2")}
    assert len(stories) == 1
    (story,) = stories
    assert story.endswith("1 passed, 0 failed\n")
    assert len(story.splitlines()) > 50


def _played(seed: str, hashes: str) -> str:
    command = (sys.executable, "-m", "tests.simulate", "-seeds", "1", "-seed", seed, "-v")
    env = {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout
