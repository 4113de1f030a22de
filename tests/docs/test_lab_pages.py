"""Pages that need real hosts, played on those of the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo import library
from tests.demo.page import world_of
from tests.demo.stage import silent
from tests.lab.fixtures import refuse
from tests.lab.fleet import Lab
from tests.lab.programs import LabUnavailableError

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("path", library.with_lab(), ids=lambda p: str(p.relative_to(library.DOCS)))
def test_page_tells_what_happens(path: Path, fresh_lab: Lab) -> None:
    if world_of(path.read_text()) == "docker" and "a1" not in fresh_lab.hosts:
        try:
            fresh_lab.add("a1", dockerd=True)
        except LabUnavailableError as error:
            refuse(str(error))
    found = library.played(path, silent, fresh_lab)

    # If it differs for a good reason: make demo-write PAGES=docs/…, and read the diff.
    difference = library.difference(path, found)
    assert not difference, difference
