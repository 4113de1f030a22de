"""The `orch` console script: answers the version at once, and hands all else to the commands."""

from __future__ import annotations

import sys

from gitops.version import VERSION

_VERSION_WORDS = ("version", "-v", "-version", "--version")


def main() -> None:
    """Run the command line and exit with its code."""
    if len(sys.argv) == 2 and sys.argv[1] in _VERSION_WORDS:  # noqa: PLR2004
        sys.stdout.write(f"orch v{VERSION}\n")
        return
    # Only now: the commands import typer, which a bare version must not wait for.
    from gitops.cli import program

    sys.exit(program.run(sys.argv[1:]))
