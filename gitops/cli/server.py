"""`orch server …`: what takes the place of servers."""

from __future__ import annotations

import time

from gitops.cli.options import Json
from gitops.cli.say import say, say_json


def members(json: Json = False) -> None:
    """Show the ledger, and who decides at the moment."""
    from gitops.cli import ledger_reading

    answer = ledger_reading.members(time.time_ns())
    say_json(answer.data) if json else say(answer.text)
