"""Every difference that the replay allows for is explained to users, and no other is."""

from __future__ import annotations

import re
from pathlib import Path

from tests.oracle.rules import IDS

DIFFERENCES = Path(__file__).parents[2] / "docs" / "differences.md"


def test_each_rule_has_a_paragraph_and_each_paragraph_a_rule() -> None:
    chapter = DIFFERENCES.read_text().partition("\n## Recorded plans\n")[2].split("\n## ")[0]
    paragraphs = re.findall(r"^- \*\*`([a-z-]+)`\*\*: \S", chapter, re.MULTILINE)
    assert sorted(paragraphs) == sorted(IDS)
