"""Sees which key a host shows, without logging in there, and holds it against those known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import asyncssh

from executors.known_hosts import KnownKey, Trust
from executors.ssh_hop import Chain, Hop
from executors.ssh_trust import HostTrust


class Standing(StrEnum):
    """How a key that was shown compares with the keys known for the host."""

    SAME = "same"
    NEW = "new"
    CHANGED = "CHANGED"
    REVOKED = "REVOKED"
    # its certificate counts, whatever its key
    CERTIFIED = "by certificate"


@dataclass(slots=True)
class Scan(HostTrust):
    """Trusts no key, so that the login ends where the host has shown its own."""

    @property
    def lists(self) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """Nothing is trusted."""
        return [], [], []

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Plain keys only, those of known kinds first."""
        plain = [k for k in self.known if k.trust is Trust.HOST]
        return HostTrust(self.hop, plain).algorithms


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """The key that the last of `hops` showed, as a line without names, and those known for it."""

    hops: Chain
    line: str
    known: tuple[KnownKey, ...] = ()

    @property
    def hop(self) -> Hop:
        """Whose key it is."""
        return self.hops[-1]

    @property
    def kind(self) -> str:
        """The key's type, as ``ssh-ed25519``."""
        return self.line.split()[0]

    @property
    def standing(self) -> Standing:
        """How it compares with the keys known."""
        return standing(self.line, self.known)

    @property
    def others(self) -> tuple[KnownKey, ...]:
        """The keys that are trusted instead, those of its kind where there are any."""
        others = [k for k in self.known if k.trust is Trust.HOST and k.line != self.line]
        return tuple([k for k in others if k.line.split()[0] == self.kind] or others)


def standing(line: str, known: Sequence[KnownKey]) -> Standing:
    """Return how a key compares with the keys known for its host."""
    if any(k.line == line for k in known if k.trust is Trust.REVOKED):
        return Standing.REVOKED
    trusted = [k.line for k in known if k.trust is Trust.HOST]
    if line in trusted:
        return Standing.SAME
    if any(k.trust is Trust.CA for k in known):
        return Standing.CERTIFIED
    return Standing.CHANGED if trusted else Standing.NEW
