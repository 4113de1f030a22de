"""What can go wrong with a ledger. Each error says what, where and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gitops.git import gist
from planner.errors import ConflictError, OrchError
from planner.request import Request


class LedgerError(OrchError):
    """The ledger can't be read or written, or what it holds can't be understood."""


class UnreachableError(LedgerError):
    """The ledger did not answer."""


class RewoundError(LedgerError):
    """The ledger went back behind, or beside, what was seen of it before."""


class OutcomeUnknownError(LedgerError):
    """A write was sent and nobody said whether it arrived. No host was touched because of it."""


class SealedError(ConflictError):
    """The journal was taken over (or removed): this run must stop at once."""


class AskedError(ConflictError):
    """Requests wait for jobs, of which whoever decides has not heard yet."""

    def __init__(self, requests: Mapping[str, Sequence[Request]]) -> None:
        super().__init__(f"somebody asks something of {', '.join(requests)}", "plan again")
        self.requests = requests


class LostObjectsError(LedgerError):
    """Objects that must be there are not: a repository, or a cache of one, is damaged."""


_BRANCHES_ONLY = re.compile(r"hidden ref|hook declined|not allowed|prohibited|funny ref", re.I)
_REMEDIES = (
    (
        "host key verification failed",
        "trust the host's key: 'orch host trust' for a host of the inventory, else 'ssh' to it",
    ),
    ("permission denied", "check the user and the key that git logs in with"),
    ("authentication failed", "give git a credential for this address, or use another one"),
    ("could not read username", "give git a credential for this address: see 'git credential'"),
    ("not found", "install git on that host; its programs must be on the PATH of a login by ssh"),
)
_DENIED = re.compile(
    r"permission (to .{1,200} )?denied|error: 40[13]\b|authentication failed|read-only|read only"
    r"|could not read username|host key verification failed|access (denied|not granted)",
    re.IGNORECASE,
)


def refused(name: str, reason: str) -> LedgerError:
    """Return the error for a place that leaves a ref as it is though nobody has moved it."""
    hint = "look for missing permission, a protected ref, or a left-over *.lock file in the ledger"
    if _BRANCHES_ONLY.search(reason):
        hint = (
            'if only branches may be pushed there, set [ledger] prefix = "refs/heads/orch" in'
            f" orch.toml; else {hint}"
        )
    return LedgerError(
        f"the ledger {name} refuses to be changed: {reason or 'no reason given'}", hint
    )


def is_denied(reason: str) -> bool:
    """Whether what git said means that it was not let in, so that nothing was written."""
    return bool(_DENIED.search(reason))


def denied(name: str, reason: str) -> LedgerError:
    """Return the error for a place that may be read, and not written."""
    return LedgerError(
        f"the ledger {name} can't be written: {gist(reason)}",
        "nothing was changed; use an account that may push there ('orch ledger check' tries it)",
    )


def unreachable(name: str, reason: str, *, on_host: bool) -> UnreachableError:
    """Return the error for a place that can't be read; `on_host`: a host of the inventory."""
    said = gist(reason)
    known = next((hint for word, hint in _REMEDIES if word in said.lower()), "")
    general = f"try 'git ls-remote {name}'"
    if on_host:
        general = "see whether the host answers: 'orch node status'"
    address = "the address is [ledger] url in orch.toml, or the job repository's origin"
    return UnreachableError(
        f"the ledger {name} can't be reached: {said}", f"{known or general}; {address}"
    )
