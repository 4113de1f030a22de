"""Watching allocations on real hosts, where nothing is decided about them."""

from __future__ import annotations

from collections.abc import Collection

from executors.clock import SystemClock
from executors.run import Run
from gitops.looking import looking_run
from gitops.planning import Look
from gitops.sealing import Vault
from gitops.session import Session
from gitops.specs import vault_of


def watching(ties: Session, look: Look, jobs: Collection[str]) -> Run:
    """Return a run that looks through the session's connections, and knows what was found.

    It can make the checks of these jobs (keys) with their sensitive values.
    """
    states = [look.recorded.job(key) for key in jobs]
    vaults = [vault_of(ties.workspace, s.current) for s in states if s.current is not None]
    vault = Vault({key: each for known in vaults for key, each in known.jobs.items()})
    return looking_run(look, ties.fleet(look.recorded.epoch, "", vault), SystemClock())
