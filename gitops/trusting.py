"""Host keys: seen through the jump hosts, compared with those known, written when told to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from executors import known_hosts_file
from executors.home import at_home
from executors.ssh import SshConnector
from executors.ssh_hop import Chain
from executors.ssh_scan import ShownKey, Standing
from executors.transport import HostError
from planner.errors import OrchError

# Nothing that is a pattern, a list, a hash or a marker there.
_NAME = re.compile(r"[A-Za-z0-9:\[][A-Za-z0-9._:%\[\]-]*")
_FILE_HINT = "Set [ssh] known_hosts in orch.toml, or UserKnownHostsFile in ssh's configuration."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A login's key, or why none was seen. `names` are the hosts that it is for.

    A jump host comes with the hosts behind it.
    """

    names: tuple[str, ...]
    hops: Chain
    key: ShownKey | None = None
    error: HostError | None = None
    written: str = ""

    @property
    def host(self) -> str:
        """What the login is called where it is written down."""
        return self.hops[-1].name

    @property
    def in_inventory(self) -> bool:
        """Whether the inventory itself says which keys count."""
        return bool(self.hops and self.hops[-1].known.keys)


def routes(
    connector: SshConnector, hosts: Iterable[str]
) -> tuple[dict[Chain, list[str]], list[Seen]]:
    """Return every login on the way to hosts with the hosts that it is for, nearest first.

    Hosts to which no way is known come second, as errors.
    """
    found: dict[Chain, list[str]] = {}
    lost: list[Seen] = []
    for host in hosts:
        try:
            hops = connector.routes.route(host).hops
        except HostError as e:
            lost.append(Seen(names=(host,), hops=(), error=e))
            continue
        for depth in range(1, len(hops) + 1):
            found.setdefault(hops[:depth], []).append(host)
    return dict(sorted(found.items(), key=lambda x: len(x[0]))), lost


async def seen(connector: SshConnector, wanted: Mapping[Chain, Sequence[str]]) -> list[Seen]:
    """Return the keys of logins, all looked at at once."""

    async def one(hops: Chain, names: Sequence[str]) -> Seen:
        try:
            return Seen(names=tuple(names), hops=hops, key=await connector.shown(hops))
        except HostError as e:
            return Seen(names=tuple(names), hops=hops, error=e)

    return list(await asyncio.gather(*(one(h, n) for h, n in wanted.items())))


def writable(found: Seen, named: Collection[str], *, replace: bool) -> bool:
    """Whether a key may be written: it is new, or it was asked for by name to replace others."""
    if found.key is None or found.in_inventory:
        return False
    standing = found.key.standing
    if standing is Standing.CHANGED:
        return replace and found.hops[-1].host in named
    return standing is Standing.NEW


def write(found: Seen) -> str:
    """Trust a key that was shown; return the file. Raises `OrchError` where it can't be written."""
    key = found.key
    if key is None or not key.hop.known.files:
        raise OrchError(
            f"{found.host}: there is no file of trusted keys to write to",
            _FILE_HINT,
        )
    hop = key.hop
    path = at_home(hop.known.files[0])
    if path.exists() and not path.is_file():
        raise OrchError(f"{found.host}: {hop.known.files[0]} keeps no keys", _FILE_HINT)
    name = hop.known.alias or hop.known_name.lower()
    if not _NAME.fullmatch(name):
        raise OrchError(
            f"{found.host}: {name!r} can't be written down: it would stand for other hosts",
            "Correct its address, or HostKeyAlias.",
        )
    if key.standing is Standing.NEW:
        line = known_hosts_file.entry(name, key.line, hashed=hop.known.hashed)
        known_hosts_file.append(path, [line])
    else:
        _only_in(key, hop.known.files[0])
        known_hosts_file.replace(path, name, key.line, hashed=hop.known.hashed)
    return hop.known.files[0]


def _only_in(key: ShownKey, file: str) -> None:
    """Refuse where another key would stay trusted: in another file, or by a pattern."""
    staying = [k.source for k in key.others if k.by_pattern or k.source.rpartition(":")[0] != file]
    if staying:
        raise OrchError(
            f"{key.hop.name}: another key is trusted by {', '.join(staying)}",
            f"Only lines of {file} that name the host itself are replaced: remove others first.",
        )
