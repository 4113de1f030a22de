"""Which evaluator this is: another one may come to other results from the same text."""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import gitops.diagnostics
import gitops.jobspec
import planner.codec
import planner.job

# The parser, from whose directory the versions of all libraries around it are read.
_PARSER = "hcl2"


@cache
def evaluator() -> str:
    """Return a digest of the evaluator's own source and of the libraries' versions."""
    total = hashlib.sha256(f"{sys.version}\n{_libraries()}\n".encode())
    own = Path(str(gitops.jobspec.__file__)).parent
    others = (gitops.diagnostics, planner.codec, planner.job)
    for source in (*sorted(own.rglob("*.py")), *(Path(str(m.__file__)) for m in others)):
        with suppress(OSError):
            text = source.read_bytes()
            total.update(f"{source.name} {len(text)}\n".encode() + text)
    return total.hexdigest()


def _libraries() -> str:
    """Return the names of what is installed, with versions: reading one directory is enough."""
    found = find_spec(_PARSER)
    if found is None or found.origin is None:
        return ""
    with suppress(OSError):
        installed = Path(found.origin).parents[1].glob("*.dist-info")
        return " ".join(sorted(p.name for p in installed))
    return ""
