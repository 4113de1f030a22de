"""The `orch` console script: answers the version at once, and hands all else to the commands."""

from __future__ import annotations

import gc
import os
import sys

from gitops.version import VERSION

_VERSION_WORDS = ("version", "-v", "-version", "--version")
# New objects after which garbage is looked for.
_COLLECTION = 100_000


def main() -> None:
    """Run the command line and exit with its code."""
    if len(sys.argv) == 2 and sys.argv[1] in _VERSION_WORDS:  # noqa: PLR2004
        sys.stdout.write(f"orch v{VERSION}\n")
        return
    if "_ORCH_COMPLETE" in os.environ:
        from gitops.cli import completing

        completing.main(sys.argv[1:])
        return
    collect_rarely()
    # Only now: the commands import typer, which a bare version must not wait for.
    from gitops.cli import program

    sys.exit(program.run(sys.argv[1:]))


def collect_rarely() -> None:
    """Look for garbage less often: most of what a command makes, it keeps to its end."""
    gc.set_threshold(_COLLECTION)
