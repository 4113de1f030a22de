"""The way to a host over SSH, all of it decided: each login with its address, user, keys, trust."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from executors.known_hosts import known_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """Which keys a login offers.

    `files` are private or public key files (none: the usual ones), `certificates` belong to keys
    among them or in the agent. The agent at the socket `agent` (empty: none) offers its other keys
    too, unless `only` those named count. Files that are `needed` must be there and readable.
    """

    files: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    agent: str = ""
    only: bool = False
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKeys:
    """Which keys a login trusts: `keys` alone where there are any, else what `files` say.

    The first of `files` is the one that ssh itself would add to.
    """

    files: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    alias: str = ""
    # whether ssh would write names as hashes
    hashed: bool = False
    # how ssh is told to treat unknown keys: heard, so that it can be said that orch does not
    strict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One login: times in seconds.

    `name` is what the hop is called where it is written down, `host` that without user and port.
    """

    name: str = field(compare=False)
    host: str = field(compare=False)
    address: str
    port: int
    user: str
    identities: Identities
    known: KnownKeys
    connect_timeout: float
    keepalive: float
    keepalive_count: int
    address_family: str = "any"
    bind_address: str = ""

    @property
    def known_name(self) -> str:
        """The name under which known_hosts files keep the hop's keys."""
        return self.known.alias or known_name(self.address, self.port)

    @property
    def where(self) -> str:
        """Its address for people."""
        return f"{self.address} port {self.port}"


Chain = tuple[Hop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a host of the inventory is reached: `hops` in the order of travel, its own the last.

    `notes` name what ssh's configuration asks for and orch does not follow.
    """

    host: str
    hops: Chain
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> Hop:
        """The login on the host itself."""
        return self.hops[-1]

    @property
    def jumps(self) -> Chain:
        """The jump hosts before it."""
        return self.hops[:-1]


class Router(Protocol):
    """Says how hosts are reached; opens nothing."""

    def route(self, host: str) -> Route:
        """Return the way to a host of the inventory.

        Raises `HostError` where the inventory, `orch.toml` or ssh's configuration can't be
        followed, with what to do about it.
        """
        ...
