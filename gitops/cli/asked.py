"""How a person asked to be told: from the flags that all commands with a plan share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gitops.cli.say import coloured

if TYPE_CHECKING:
    from gitops.cli.look import Look


def look_of(*, json: bool, verbose: bool, no_color: bool) -> Look:
    """Return how a plan, and what becomes of it, is shown."""
    from gitops.cli.look import Look

    return Look(json=json, verbose=verbose, colour=coloured(sys.stdout, no_color))
