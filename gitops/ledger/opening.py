"""Finds the store behind a ledger's address and opens it. Reads nothing of its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from executors.home import at_home
from gitops.git import redacted
from gitops.ledger.cache import Cache, Remote
from gitops.ledger.errors import LedgerError
from gitops.ledger.local_store import LocalStore
from gitops.ledger.protocol import Snapshot
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.remote_store import RemoteStore
from gitops.ledger.repair import Repair
from gitops.ledger.seen import FileSeen
from gitops.ledger.ssh_place import SshPlace
from gitops.ledger.store import Store
from gitops.ledger.surroundings import Surroundings

DEFAULT_PREFIX = "refs/orch/"
_CLUSTER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")
_PREFIX = re.compile(r"refs/(?:[0-9A-Za-z][0-9A-Za-z_-]*/)*")
# git's short form for ssh: a colon before the first slash.
_SCP = re.compile(r"[^/:]+:[^/].*|[^/:]+:/.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a cluster's ledger is: a directory or a Git URL, and the refs in it."""

    url: str
    cluster: str
    prefix: str = DEFAULT_PREFIX
    cache: Path
    # how an inventory host is reached, for ``host:NAME:/path``
    place: SshPlace | None = None


def open_ledger(
    address: Address,
    surroundings: Surroundings | None = None,
    noted: Callable[[Snapshot], None] = lambda _: None,
) -> RefLedger:
    """Return the ledger; nothing is read or made before its first use. `noted` hears what is read.

    Raises `LedgerError` for an address, prefix or cluster name that can't be one.
    """
    around = surroundings or Surroundings.real()
    store = open_store(address, around)
    return RefLedger(store, address.cluster, FileSeen(own_cache(address)), around, noted)


def open_repair(address: Address, surroundings: Surroundings | None = None) -> Repair:
    """Return what settles a ledger that lost decisions; raises as `open_ledger`."""
    around = surroundings or Surroundings.real()
    store = open_store(address, around)
    return Repair(store, address.cluster, FileSeen(own_cache(address)), around)


def open_store(address: Address, surroundings: Surroundings) -> Store:
    """Return the place itself; nothing is read or made before its first use."""
    prefix = _full_prefix(address)
    path = local_path(address.url)
    if path is None or (path / ".git").exists():
        remote = _remote(address, path)
        cache = Cache(remote, prefix, own_cache(address))
        return RemoteStore(cache, remote.name, prefix, surroundings)
    return LocalStore(path, prefix)


def own_cache(address: Address) -> Path:
    """Return the folder that keeps what is known of this ledger here; it may not be there."""
    path = local_path(address.url)
    # Credentials may change, the ledger stays the same.
    named = f"{redacted(str(path or address.url))}\n{_full_prefix(address)}"
    return address.cache / hashlib.sha256(named.encode()).hexdigest()[:32]


def _remote(address: Address, path: Path | None) -> Remote:
    if address.place is not None:
        return Remote(url=address.place.url, name=address.url, place=address.place)
    return Remote.at(str(path or address.url))


def _full_prefix(address: Address) -> str:
    if not _CLUSTER.fullmatch(address.cluster):
        raise LedgerError(
            f"{address.cluster!r} can't be a cluster's name: letters, digits, - and _, at most 63",
            "change `cluster` in orch.toml",
        )
    prefix = address.prefix.rstrip("/") + "/"
    if not _PREFIX.fullmatch(prefix):
        raise LedgerError(
            f"{address.prefix!r} can't be the ledger's prefix: it must look like {DEFAULT_PREFIX}",
            "change `[ledger] prefix` in orch.toml",
        )
    return f"{prefix}{address.cluster}/"


def local_path(url: str) -> Path | None:
    """Return the directory that an address means; None for a URL."""
    if not url or url.startswith("-"):
        raise LedgerError(f"{url!r} can't be a ledger's address", "set `[ledger] url` in orch.toml")
    if "://" in url or _SCP.fullmatch(url):
        return None
    return at_home(url).absolute()
