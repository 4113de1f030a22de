"""Rewrite what the golden cases expect: ``python -m tests.golden``. Review the difference."""

from __future__ import annotations

from tests.golden.cases import folders, outputs

for folder in folders():
    for name, text in outputs(folder).items():
        (folder / name).write_text(text)
