"""Real repositories to keep ledgers in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.ledger.memory import Shelf, memory_ledger
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.seen import MemorySeen
from gitops.ledger.simulated import SimulatedCopy, SimulatedRemote, simulated_store
from gitops.ledger.surroundings import Surroundings


def git(directory: Path, *args: str, check: bool = True) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    command: Sequence[str] = ("git", "-C", str(directory), *who, *args)
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if check and done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


@dataclass(frozen=True)
class Site:
    """One place, and ledgers on it as different users or machines would open them."""

    kind: str
    url: str
    repository: Path
    open: Callable[[str], RefLedger]


def open_at(url: str, cache: Path, user: str = "ann") -> RefLedger:
    around = Surroundings(user=user, host="box")
    return open_ledger(Address(url=url, cluster="dev", cache=cache), around)


def simulated_ledger(remote: SimulatedRemote, user: str) -> RefLedger:
    around = Surroundings(user=user, host="box")
    copy = SimulatedCopy(remote=remote, prefix="refs/orch/dev/")
    return RefLedger(simulated_store(copy, around), "dev", MemorySeen(), around)


def site(kind: str, tmp_path: Path) -> Site:
    if kind == "memory":
        shelf = Shelf()
        return Site(kind, "memory", tmp_path, lambda _: memory_ledger(shelf))
    if kind == "simulated":
        remote = SimulatedRemote()
        return Site(kind, "simulated", tmp_path, lambda user: simulated_ledger(remote, user))
    repository = tmp_path / "ledger.git"
    url = str(repository)
    if kind == "remote":
        git(tmp_path, "init", "-q", "--bare", str(repository))
        url = f"file://{repository}"
    return Site(kind, url, repository, lambda user: open_at(url, tmp_path / f"cache-{user}", user))


@pytest.fixture(params=["memory", "simulated", "local", "remote"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    return site(request.param, tmp_path)


@pytest.fixture(params=["local", "remote"])
def git_place(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    return site(request.param, tmp_path)
