"""What the ssh client itself makes of a configuration: the other side of the comparison."""

from __future__ import annotations

import os
import pwd
import subprocess
from functools import cache
from pathlib import Path

from executors.ssh_config.expand import Local
from executors.ssh_config.reader import ConfigFile, read
from executors.ssh_config.resolve import Resolved, SshConfig
from executors.ssh_config.values import Jump

ME = pwd.getpwuid(os.getuid())
LOCAL = Local(
    user=ME.pw_name,
    home=ME.pw_dir,
    uid=os.getuid(),
    hostname=os.uname().nodename,
    environment={"SSH_AUTH_SOCK": "/run/agent", "PLACE": "/p"},
)
Said = dict[str, object]


def orch_says(config: Path, host: str) -> Said:
    """What orch resolves, by the names of ``ssh -G``."""
    sections = read((ConfigFile(path=str(config)),))
    return _comparable(SshConfig(sections, LOCAL).resolve(host))


def ssh_says(config: Path, host: str) -> Said:
    """What ``ssh -G`` prints; raises where it refuses the configuration."""
    return _read(_printed(config, host), _usual())


def _printed(config: Path, host: str) -> dict[str, list[str]]:
    done = subprocess.run(
        ["ssh", "-G", "-F", str(config), "--", host],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **LOCAL.environment},
    )
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition(" ")
        said.setdefault(name, []).append(value)
    return said


@cache
def _usual() -> dict[str, list[str]]:
    """What this ssh says where nothing is configured; it differs between versions."""
    return _printed(Path("/dev/null"), "anyone")


def _read(said: dict[str, list[str]], usual: dict[str, list[str]]) -> Said:
    def one(name: str, default: str = "") -> str:
        return said.get(name, [default])[0]

    strict = one("stricthostkeychecking")
    raw = said.get("identityfile", [])
    named = [] if raw == usual["identityfile"] else raw
    known, every = said["userknownhostsfile"], said["globalknownhostsfile"]
    return {
        "hostname": one("hostname"),
        "port": int(one("port")),
        "user": one("user"),
        "jumps": [_jump(j) for j in one("proxyjump", "none").split(",") if j != "none"],
        "proxy_command": "" if one("proxycommand") == "none" else one("proxycommand"),
        "identity_files": [str(Path(f).expanduser()) for f in named if f != "none"],
        "certificate_files": [str(Path(f).expanduser()) for f in said.get("certificatefile", [])],
        "identities_only": one("identitiesonly") == "yes",
        "identity_agent": one("identityagent"),
        "user_known_hosts": None if known == usual["userknownhostsfile"] else known[0],
        "global_known_hosts": None if every == usual["globalknownhostsfile"] else every[0],
        "host_key_alias": one("hostkeyalias"),
        "strict": {"true": "yes", "false": "no"}.get(strict, strict),
        "connect_timeout": int(one("connecttimeout").replace("none", "0")),
        "alive_interval": int(one("serveraliveinterval")),
        "alive_count": int(one("serveralivecountmax")),
        "address_family": one("addressfamily"),
        "bind_address": one("bindaddress"),
    }


def _comparable(found: Resolved) -> Said:
    def joined(files: tuple[str, ...] | None) -> str | None:
        return None if files is None else " ".join(files) or "none"

    strict = found.strict or "ask"
    return {
        "hostname": found.hostname,
        "port": found.port,
        "user": found.user,
        "jumps": list(found.jumps),
        "proxy_command": found.proxy_command.word if found.proxy_command else "",
        "identity_files": list(found.identity_files),
        "certificate_files": list(found.certificate_files),
        "identities_only": found.identities_only,
        "identity_agent": found.identity_agent,
        "user_known_hosts": joined(found.user_known_hosts),
        "global_known_hosts": joined(found.global_known_hosts),
        "host_key_alias": found.host_key_alias,
        "strict": {"off": "no"}.get(strict, strict),
        "connect_timeout": found.connect_timeout,
        "alive_interval": found.alive_interval,
        "alive_count": found.alive_count or 3,
        "address_family": found.address_family,
        "bind_address": found.bind_address,
    }


def _jump(text: str) -> Jump:
    user, _, rest = text.rpartition("@")
    host, _, port = rest.rpartition(":") if "]:" in rest or rest.count(":") == 1 else (rest, "", "")
    return Jump(host.strip("[]"), user, int(port or 0))
