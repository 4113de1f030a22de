"""The reference is printed from the code; `make golden` prints it anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from gitops import exit_codes
from tests.demo.library import DOCS
from tests.docs import cli_page, configuration_page, jobspec_page

_PRINTED: dict[str, Callable[[str], str]] = {
    "cli.md": cli_page.printed,
    "configuration.md": configuration_page.printed,
    "jobspec.md": jobspec_page.printed,
}


@pytest.mark.parametrize("name", _PRINTED)
def test_page_is_what_the_code_says(name: str) -> None:
    path = DOCS / name
    text = path.read_text() if path.exists() else ""
    wanted = _PRINTED[name](text)
    if os.environ.get("ORCH_GOLDEN") == "write":
        path.write_text(wanted)

    # If it differs: make golden, and read the diff.
    assert path.read_text() == wanted


def test_every_exit_code_is_described() -> None:
    rows = re.findall(r"^\| (\d+) \|", (DOCS / "exit-codes.md").read_text(), re.MULTILINE)
    codes = {v for k, v in vars(exit_codes).items() if k.isupper()}

    assert {int(row) for row in rows} == codes | {0, 1}
