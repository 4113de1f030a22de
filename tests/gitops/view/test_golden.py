from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.cases import folders, outputs


@pytest.mark.parametrize("folder", folders(), ids=lambda p: p.name)
def test_plan_is_printed_as_expected(folder: Path) -> None:
    for name, text in outputs(folder).items():
        assert text == (folder / name).read_text(), name
