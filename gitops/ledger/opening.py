"""Finds the store behind a ledger's address and opens it. Reads nothing of its content."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from gitops.git import redacted
from gitops.ledger.errors import LedgerError
from gitops.ledger.local_store import LocalStore
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.remote_store import RemoteStore
from gitops.ledger.seen import FileSeen
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


def cache_directory() -> Path:
    """Return ``$XDG_CACHE_HOME/orch/ledger``."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "orch" / "ledger"


def open_ledger(address: Address, surroundings: Surroundings | None = None) -> RefLedger:
    """Return the ledger; nothing is read or made before its first use.

    Raises `LedgerError` for an address, prefix or cluster name that can't be one.
    """
    around = surroundings or Surroundings.real()
    prefix = _full_prefix(address)
    path = local_path(address.url)
    url = str(path) if path is not None else address.url
    # Credentials may change, the ledger stays the same.
    named = f"{redacted(url)}\n{prefix}"
    own = address.cache / hashlib.sha256(named.encode()).hexdigest()[:32]
    store: Store
    if path is None or (path / ".git").exists():
        store = RemoteStore(url, prefix, own, around)
    else:
        store = LocalStore(path, prefix)
    return RefLedger(store, address.cluster, FileSeen(own), around)


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
    return Path(url).expanduser().absolute()
