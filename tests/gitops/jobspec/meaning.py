"""What a spec means, blanks and places aside.

`python -m tests.gitops.jobspec.meaning DIR…` holds the formatter against all HCL files below.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from gitops.diagnostics import SpecErrors
from gitops.jobspec.format import formatted
from gitops.jobspec.given import given_values
from gitops.jobspec.load import parse_spec
from gitops.jobspec.syntax import Source
from gitops.jobspec.variables import Variables


def meaning(text: str) -> tuple[object, list[str]]:
    """Return the data that a spec stands for, and the summaries of its errors."""
    variables = Variables()
    parsed = parse_spec(Source.of("x", text), variables, given_values(variables))
    return parsed.data, sorted(d.summary for d in parsed.problems.found)


def main(folders: Sequence[str]) -> int:
    """Check each file; return 1 if formatting changes what one means, or does not settle."""
    counts = {"kept": 0, "no HCL": 0, "wrong": 0}
    for file in sorted(f for folder in folders for f in Path(folder).rglob("*.hcl")):
        text = file.read_bytes().decode()
        try:
            once = formatted(text, path=str(file))
        except SpecErrors:
            counts["no HCL"] += 1
            continue
        sound = meaning(once) == meaning(text) and formatted(once, path="") == once
        counts["kept" if sound else "wrong"] += 1
        if not sound:
            sys.stdout.write(f"{file}: formatting changes it\n")
    sys.stdout.write(", ".join(f"{n} {what}" for what, n in counts.items()) + "\n")
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
