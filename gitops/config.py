"""`orch.toml`: where the job specs, the inventory and the ledger are. Never writes it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops.settings import (
    Problem,
    about,
    above_0,
    at_most,
    between,
    one_of,
    read_settings,
    written_like,
)
from planner.errors import OrchError, reason

NAME = "orch.toml"

_CLUSTER = written_like(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"),
    "may hold letters, digits, '-' and '_' only",
    "letters, digits, `-`, `_`; at most 63",
)


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """Where decisions are recorded."""

    url: str = field(
        default="",
        metadata=about(
            "where decisions are recorded: a Git URL, `host:NAME:/path` on an inventory "
            "host, or the path of a bare repository, which is made if need be; none: the "
            "repository's remote `origin`; see [the ledger](ledger.md)"
        ),
    )
    prefix: str = field(
        default="refs/orch",
        metadata=about(
            "below which refs; another where a forge refuses these, such as `refs/heads/orch`"
        ),
    )
    lease_ttl: float = field(
        default=30.0,
        metadata=about(
            "seconds without a sign of life after which another apply may take a run over",
            rule=between(1, 3600),
        ),
    )


@dataclass(frozen=True, slots=True)
class SshConfig:
    """How hosts are reached; inventory variables win."""

    user: str = field(
        default="",
        metadata=about(
            "the user to log in as, where the inventory names none; none: ssh's `User`, else "
            "who runs orch"
        ),
    )
    config: str = field(
        default="",
        metadata=about(
            "ssh's configuration: a file instead of `~/.ssh/config` and `/etc/ssh/ssh_config`, "
            'or `"none"`; see [SSH](#ssh)'
        ),
    )
    known_hosts: str = field(
        default="",
        metadata=about(
            "a file of trusted host keys instead of `~/.ssh/known_hosts` and "
            "`/etc/ssh/ssh_known_hosts`, or what ssh's configuration names"
        ),
    )
    jump: str = field(
        default="",
        metadata=about(
            "`[user@]host[:port]` through which all hosts are reached, several with commas; they "
            "may be in the inventory; none: ssh's `ProxyJump`"
        ),
    )
    concurrency: int = field(
        default=32,
        metadata=about("connections that are being set up at the same time", rule=between(1, 1000)),
    )
    jump_concurrency: int = field(
        default=10,
        metadata=about("of these, through one jump host", rule=between(1, 1000)),
    )
    connect_timeout: float = field(
        default=0.0,
        metadata=about(
            "seconds for one connection to stand; none: ssh's `ConnectTimeout`, else 10",
            rule=above_0(600),
        ),
    )
    probe_timeout: float = field(
        default=30.0,
        metadata=about("seconds in which a host has to answer one probe", rule=above_0(600)),
    )


@dataclass(frozen=True, slots=True)
class ReconcileConfig:
    """What `orch reconcile` may do by itself."""

    auto_apply: bool = field(
        default=True,
        metadata=about("whether `orch reconcile` applies, or only shows what it would do"),
    )
    allow_deletions: bool = field(
        default=False, metadata=about("whether it stops jobs that left the repository")
    )
    lost_after: float = field(
        default=0.0,
        metadata=about(
            "seconds for which `orch reconcile -interval` waits for a host that does not answer, "
            "before what it ran is lost, and replaced elsewhere; 0: for ever. A group whose "
            "[`disconnect`](jobspec.md#disconnect) block has a `lost_after` waits as long as that",
            rule=between(0, 604_800),
        ),
    )


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """How hosts are chosen."""

    algorithm: str = field(
        default="binpack",
        metadata=about(
            '`"binpack"` fills hosts one after the other, `"spread"` prefers empty ones',
            rule=one_of("binpack", "spread"),
        ),
    )
    update_order: str = field(
        default="auto",
        metadata=about(
            'what an update does first: `"stop-first"` stops the old allocation and then starts '
            'its successor, `"start-first"` stops the old one once its successor is healthy, '
            '`"auto"` does that wherever ports, disks, volumes and room allow it',
            rule=one_of("auto", "start-first", "stop-first"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of `orch.toml`."""

    cluster: str = field(
        metadata=about(
            "the name that keeps these jobs apart from others, in the ledger and on "
            "hosts; don't change it later",
            rule=_CLUSTER,
        )
    )
    repository: str = field(
        default="",
        metadata=about(
            "what the ledger calls this repository: a job that leaves it is stopped only "
            "where the same name has registered it; none: the address of the remote `origin`. "
            "Needed where clones reach it by different addresses, as with a "
            "[push that deploys](commands.md#a-push-deploys)",
            rule=at_most(200),
        ),
    )
    jobs: tuple[str, ...] = field(
        default=("jobs",),
        metadata=about(
            "folders whose `*.nomad.hcl`, `*.nomad` and `*.nomad.json` are the desired jobs"
        ),
    )
    inventory: str = field(
        default="inventory.yml",
        metadata=about("the inventory: a file, an executable, or a directory"),
    )
    namespaces: tuple[str, ...] = field(
        default=("default",), metadata=about("namespaces that jobs may be in")
    )
    node_pools: tuple[str, ...] = field(
        default=("default",),
        metadata=about("node pools that jobs may ask for; `all` is always one"),
    )
    regions: tuple[str, ...] = field(
        default=("global",), metadata=about("what jobs may say as their `region`")
    )
    sensitive: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "further values to hide, by path: "
            '`["env.*_PASSWORD", "config.args", "template.data"]`; see '
            "[sensitive values](#sensitive-values)"
        ),
    )
    ledger: LedgerConfig = LedgerConfig()
    reconcile: ReconcileConfig = ReconcileConfig()
    scheduler: SchedulerConfig = SchedulerConfig()
    ssh: SshConfig = SshConfig()


class ConfigError(OrchError):
    """`orch.toml` is missing or wrong."""


class NoConfigError(ConfigError):
    """There is no `orch.toml`."""


def find(start: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of `orch.toml`: ``ORCH_CONFIG``, else the nearest one upwards of `start`.

    Raises `NoConfigError` where there is none, and `ConfigError` where a wrong one is named.
    """
    if named := environment.get("ORCH_CONFIG"):
        path = Path(named)
        if not path.is_file():
            raise ConfigError(f"{named}: no such file", "ORCH_CONFIG names it: correct it.")
        return path.resolve()
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / NAME).is_file():
            return folder / NAME
    raise NoConfigError(
        f"no {NAME} here or in any folder above", "Run 'orch init' to make one, or set ORCH_CONFIG."
    )


def load(path: Path) -> Config:
    """Read `orch.toml`. Raises `ConfigError` with the line of every problem."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        what = _without_place(e)
        hint = "The file is TOML: one name = value a line, text in double quotes."
        raise ConfigError(f"{_place(path, e)}: not valid TOML: {what}", hint) from e
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path.name}: {reason(e)}", "It must be readable UTF-8 text.") from e
    return parsed(text, data, path.name)


def parsed(text: str, data: Mapping[str, Any], name: str) -> Config:
    """Validate what `text` was parsed to: of each setting its type and its bounds."""
    settings, found = read_settings(Config, data)
    problems = [_problem(text, name, p) for p in found]
    if "cluster" not in data:
        problems.append(f"{name}: 'cluster' is missing; give the cluster a name of its own")
    if problems:
        raise ConfigError("\n".join(problems))
    return Config(**settings)


def _problem(text: str, name: str, problem: Problem) -> str:
    line = _line_of(text, problem.setting.rpartition(".")[2])
    return f"{name}:{line}: {problem.text()}" if line else f"{name}: {problem.text()}"


def _line_of(text: str, key: str) -> int:
    pattern = re.compile(rf"^\s*\[?{re.escape(key)}\b")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 0)


_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)")


def _place(path: Path, error: tomllib.TOMLDecodeError) -> str:
    found = _PLACE.search(str(error))
    return f"{path.name}:{found[1]}:{found[2]}" if found else path.name


def _without_place(error: tomllib.TOMLDecodeError) -> str:
    return _PLACE.sub("", str(error))
