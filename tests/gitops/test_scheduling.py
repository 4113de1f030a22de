"""Which hosts score best is a setting of the repository, and reaches the planner."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops import config
from planner.capacity import Algorithm


@pytest.mark.parametrize("name", ["binpack", "spread"])
def test_the_algorithm_is_a_setting(tmp_path: Path, name: str) -> None:
    file = tmp_path / "orch.toml"
    file.write_text(f'cluster = "c"\n[scheduler]\nalgorithm = "{name}"\n')
    assert Algorithm(config.load(file).scheduler.algorithm) == name


def test_another_algorithm_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "orch.toml"
    file.write_text('cluster = "c"\n[scheduler]\nalgorithm = "random"\n')
    with pytest.raises(config.ConfigError, match=r"scheduler\.algorithm"):
        config.load(file)
