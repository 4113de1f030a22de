"""Finds the way to hosts: what the inventory says, then orch.toml, then ssh's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from executors.ssh_config.arguments import arguments
from executors.ssh_config.errors import SshConfigError
from executors.ssh_config.options import PROXY
from executors.ssh_config.proxy_command import as_jumps
from executors.ssh_config.resolve import Resolved, SshConfig
from executors.ssh_config.sections import Setting
from executors.ssh_config.values import Jump, jumps
from executors.ssh_hop import Chain, Hop, Identities, KnownKeys, Route
from executors.ssh_settings import SshSettings
from executors.transport import HostError, HostFault
from inventory.model import SshTarget

_MOST_HOPS = 8
_TOML = "[ssh] in orch.toml"


@dataclass(slots=True)
class Routes:
    """Routes to the hosts of an inventory, each found once; see `Router`."""

    targets: Mapping[str, SshTarget]
    settings: SshSettings
    config: SshConfig
    _found: dict[str, Route] = field(default_factory=dict[str, Route])
    _ways: dict[tuple[tuple[Jump, ...], bool], Chain] = field(
        default_factory=dict[tuple[tuple[Jump, ...], bool], Chain]
    )

    def route(self, host: str) -> Route:
        """Return the way to a host; see `Router`."""
        if host not in self._found:
            if host not in self.targets:
                raise HostError(host, HostFault.UNREACHABLE, "it is not in the inventory")
            try:
                self._found[host] = self._route(self.targets[host])
            except SshConfigError as e:
                raise HostError(host, HostFault.CONFIG, e.message, e.hint) from e
        return self._found[host]

    def _route(self, target: SshTarget) -> Route:
        given = _settings_of(target)
        found = self.config.resolve(target.address, (*given, *self._own()))
        by_inventory = any(s.name in PROXY for s in given)
        before = None if by_inventory else self._common_jumps(target.host)
        if before is None:
            chain = self._way(_jumps(found), by_name=by_inventory)
            own = {target.host, target.address}
        else:
            chain = self._way(before, by_name=True)
            own = {target.host}
        for jump in chain:
            if jump.host in own:
                raise _circle((target.host, jump.host))
        hop = self._hop((target.host, target.host), found, target)
        return Route(host=target.host, hops=(*chain, hop), notes=found.notes)

    def _way(self, wanted: tuple[Jump, ...], *, by_name: bool) -> Chain:
        """Return the hops to these jump hosts, found once for all who are behind them."""
        if not wanted:
            return ()
        key = (wanted, by_name)
        if key not in self._ways:
            self._ways[key] = self._chain(wanted, by_name=by_name, seen=())
        return self._ways[key]

    def _common_jumps(self, host: str) -> tuple[Jump, ...] | None:
        """Return orch.toml's jump hosts, for one of them those before it; None without any."""
        if not self.settings.jump:
            return None
        common = jumps(self.settings.jump, _TOML)
        at = next((n for n, j in enumerate(common) if j.host == host), len(common))
        # the first of them is reached as it would be without
        return common[:at] or None

    def _chain(self, wanted: tuple[Jump, ...], *, by_name: bool, seen: tuple[str, ...]) -> Chain:
        """Return the hops to these jump hosts; the first one may have jump hosts of its own."""
        chain: Chain = ()
        for jump in wanted:
            if jump.host in seen:
                raise _circle((*seen, jump.host))
            target = self.targets.get(jump.host) if by_name else None
            given = (*_settings_of_jump(jump), *(_settings_of(target) if target else ()))
            name = target.address if target else jump.host
            found = self.config.resolve(name, given, self._own())
            if not chain:
                own = any(s.name in PROXY for s in given)
                chain = self._chain(_jumps(found), by_name=own, seen=(*seen, jump.host))
            chain = (*chain, self._hop((_written(jump), jump.host), found, target))
            if len(chain) > _MOST_HOPS:
                raise SshConfigError(f"more than {_MOST_HOPS} jump hosts in a row")
        return chain

    def _own(self) -> tuple[Setting, ...]:
        return (Setting("user", (self.settings.user,), _TOML),) if self.settings.user else ()

    def _hop(self, names: tuple[str, str], found: Resolved, target: SshTarget | None) -> Hop:
        settings = self.settings
        return Hop(
            name=names[0],
            host=names[1],
            address=found.hostname,
            port=found.port,
            user=found.user,
            identities=self._identities(found, target),
            known=KnownKeys(
                files=_known_files(found, settings),
                keys=target.host_keys if target else (),
                alias=found.host_key_alias,
                strict=found.strict,
                hashed=found.hash_known_hosts,
            ),
            connect_timeout=settings.connect_timeout or found.connect_timeout or _CONNECT_TIMEOUT,
            keepalive=found.alive_interval or settings.keepalive,
            keepalive_count=found.alive_count or settings.keepalive_count,
            address_family=found.address_family,
            bind_address=found.bind_address,
        )

    def _identities(self, found: Resolved, target: SshTarget | None) -> Identities:
        key = (target.key_path if target else "") or self.settings.key_path
        agent = found.identity_agent or self.settings.agent
        return Identities(
            files=(key,) if key else found.identity_files,
            certificates=found.certificate_files,
            agent="" if agent == "none" else agent,
            only=bool(key) or found.identities_only,
            needed=bool(key),
        )


_CONNECT_TIMEOUT = 10.0
_CIRCLE = "Leave the jump host out of its own rule: Host * !bastion, or ProxyJump none for it."
_COMMAND_HINT = (
    "Write a jump host as ProxyJump (-J), or set 'ProxyCommand none' for this host in a "
    "configuration of orch's own: [ssh] config in orch.toml."
)
_USER_FILES = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_FILES = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_UNCHECKED = frozenset({"no", "off"})


def _circle(names: tuple[str, ...]) -> SshConfigError:
    return SshConfigError(f"ProxyJump goes in a circle: {' → '.join(names)}", _CIRCLE)


def _settings_of(target: SshTarget) -> tuple[Setting, ...]:
    """Return what the inventory says in ssh's words, in the order in which Ansible says it."""
    own: list[Setting] = []
    if target.port:
        own.append(Setting("port", (str(target.port),), f"ansible_port of {target.host}"))
    if target.user:
        own.append(Setting("user", (target.user,), f"ansible_user of {target.host}"))
    place = f"ansible_ssh_common_args of {target.host}"
    more = arguments(target.ssh_args, place).settings if target.ssh_args else ()
    return (*own, *more)


def _settings_of_jump(jump: Jump) -> tuple[Setting, ...]:
    own: list[Setting] = []
    if jump.port:
        own.append(Setting("port", (str(jump.port),), _written(jump)))
    if jump.user:
        own.append(Setting("user", (jump.user,), _written(jump)))
    return (*own, *jump.settings)


def _written(jump: Jump) -> str:
    user = f"{jump.user}@" if jump.user else ""
    host = f"[{jump.host}]" if ":" in jump.host else jump.host
    return f"{user}{host}:{jump.port}" if jump.port else f"{user}{jump.host}"


def _jumps(found: Resolved) -> tuple[Jump, ...]:
    command = found.proxy_command
    if command is None:
        return found.jumps
    through = as_jumps(command)
    if through is None:
        raise SshConfigError(f"{command.place}: ProxyCommand is not run", _COMMAND_HINT)
    return through


def _known_files(found: Resolved, settings: SshSettings) -> tuple[str, ...]:
    if settings.known_hosts is not None:
        return settings.known_hosts
    own, common = found.user_known_hosts, found.global_known_hosts
    if found.strict in _UNCHECKED and own is not None and set(own) <= {"/dev/null"}:
        own = None  # it says "check nothing", and orch checks
    return (
        *(_USER_FILES if own is None else own),
        *(_GLOBAL_FILES if common is None else common),
    )
