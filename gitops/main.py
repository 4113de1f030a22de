"""The `orch` console script: answers the version at once, and hands all else to the commands."""

from __future__ import annotations

import os
import sys

from gitops.version import VERSION

_VERSION_WORDS = ("version", "-v", "-version", "--version")


def main() -> None:
    """Run the command line and exit with its code."""
    if len(sys.argv) == 2 and sys.argv[1] in _VERSION_WORDS:  # noqa: PLR2004
        sys.stdout.write(f"orch v{VERSION}\n")
        return
    if "_ORCH_COMPLETE" in os.environ:
        from gitops.cli import completing

        completing.main(sys.argv[1:])
        return
    # Only now: the commands import typer, which a bare version must not wait for.
    from gitops.cli import program

    sys.exit(program.run(sys.argv[1:]))
