"""Watching allocations on real hosts, where nothing is decided about them."""

from __future__ import annotations

from executors.clock import SystemClock
from executors.run import Run
from gitops.looking import looking_run
from gitops.planning import Look
from gitops.sealing import Vault
from gitops.session import Session


def watching(ties: Session, look: Look) -> Run:
    """Return a run that looks through the session's connections, and knows what was found."""
    return looking_run(look, ties.fleet(look.recorded.epoch, "", Vault()), SystemClock())
