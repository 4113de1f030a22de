"""Compares what the cases print; with ORCH_GOLDEN=write in the environment, rewrites it instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.golden.cases import folders, outputs

REWRITE = os.environ.get("ORCH_GOLDEN") == "write"


@pytest.mark.parametrize("folder", folders(), ids=lambda p: p.name)
def test_plan_is_printed_as_expected(folder: Path) -> None:
    for name, text in outputs(folder).items():
        if REWRITE:
            (folder / name).write_text(text)
        assert text == (folder / name).read_text(), name
