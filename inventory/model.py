"""Who the hosts are: the values an inventory is read into. Holds no secret, reaches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SshTarget:
    """What the inventory says of how a host is reached.

    `user`, `key_path` and `port` are empty or 0 where it leaves them to the settings and to ssh's
    own configuration; `ssh_args` are words for ssh's command line. `host_keys` are public key
    lines (``ssh-ed25519 AAAA…``) which, where given, are the only ones trusted.
    """

    host: str
    address: str
    port: int = 0
    user: str = ""
    key_path: str = ""
    ssh_args: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    become: bool = False
    become_user: str = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostVolume:
    """A directory of the host that jobs may ask for by name."""

    path: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What jobs may not have: MHz, MB, MB and port numbers."""

    cpu: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    ports: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host with everything its groups and its own entry say about it.

    `groups` are all groups it is in, nearest to ``all`` first. `vars` are the variables that mean
    nothing to orch. `address` is what tasks are told, empty for that of the host's default route;
    `data_dir` is empty for the one that the host's user has by default; `allow_privileged` lets
    containers have what root has.
    """

    name: str
    ssh: SshTarget
    groups: tuple[str, ...] = ()
    datacenter: str = "dc1"
    node_class: str = ""
    node_pool: str = "default"
    address: str = ""
    data_dir: str = ""
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    host_volumes: Mapping[str, HostVolume] = field(default_factory=dict[str, HostVolume])
    reserved: Reserved = field(default_factory=Reserved)
    allow_privileged: bool = False
    vars: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class HostGroup:
    """A named set of hosts, those of its child groups included, in the order of the file."""

    name: str
    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All hosts and groups by name, in the order of the file."""

    path: str = ""
    hosts: Mapping[str, Host] = field(default_factory=dict[str, Host])
    groups: Mapping[str, HostGroup] = field(default_factory=dict[str, HostGroup])

    @property
    def targets(self) -> Mapping[str, SshTarget]:
        """How each host is reached, by its name."""
        return {name: host.ssh for name, host in self.hosts.items()}
