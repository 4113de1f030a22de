"""`orch.toml`: where the job specs, the inventory and the ledger are. Never writes it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import OrchError, reason

NAME = "orch.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LedgerConfig(_Section):
    """Where decisions are recorded."""

    url: str = Field(
        default="",
        description="where decisions are recorded: a Git URL, `host:NAME:/path` on an inventory "
        "host, or the path of a bare repository, which is made if need be; none: the repository's "
        "remote `origin`; see [the ledger](ledger.md)",
    )
    prefix: str = Field(
        default="refs/orch",
        description="below which refs; another where a forge refuses these, such as "
        "`refs/heads/orch`",
    )
    lease_ttl: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="seconds without a sign of life after which another apply may take a run over",
    )


class SshConfig(_Section):
    """How hosts are reached; inventory variables win."""

    user: str = Field(
        default="",
        description="the user to log in as, where the inventory names none; none: who runs orch",
    )
    known_hosts: str = Field(
        default="",
        description="a file of trusted host keys instead of `~/.ssh/known_hosts` and "
        "`/etc/ssh/ssh_known_hosts`",
    )
    jump: str = Field(
        default="",
        description="`[user@]host[:port]` through which all hosts are reached; it may be in the "
        "inventory",
    )
    concurrency: int = Field(
        default=32, ge=1, le=1000, description="connections that are being set up at the same time"
    )
    connect_timeout: float = Field(
        default=10.0, gt=0, le=600, description="seconds for one connection to stand"
    )
    probe_timeout: float = Field(
        default=30.0, gt=0, le=600, description="seconds in which a host has to answer one probe"
    )


class ReconcileConfig(_Section):
    """What `orch reconcile` may do by itself."""

    auto_apply: bool = Field(
        default=True, description="whether `orch reconcile` applies, or only shows what it would do"
    )
    allow_deletions: bool = Field(
        default=False, description="whether it stops jobs that left the repository"
    )


class SchedulerConfig(_Section):
    """How hosts are chosen."""

    algorithm: Literal["binpack", "spread"] = Field(
        default="binpack",
        description='`"binpack"` fills hosts one after the other, `"spread"` prefers empty ones',
    )


class Config(_Section):
    """The whole of `orch.toml`."""

    cluster: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
        description="the name that keeps these jobs apart from others, in the ledger and on "
        "hosts; don't change it later",
    )
    repository: str = Field(
        default="",
        max_length=200,
        description="what the ledger calls this repository: a job that leaves it is stopped only "
        "where the same name has registered it; none: the address of the remote `origin`. Needed "
        "where clones reach it by different addresses, as with a "
        "[push that deploys](commands.md#a-push-deploys)",
    )
    jobs: tuple[str, ...] = Field(
        default=("jobs",),
        description="folders whose `*.nomad.hcl`, `*.nomad` and `*.nomad.json` are the desired "
        "jobs",
    )
    inventory: str = Field(
        default="inventory.yml", description="the inventory: a file, an executable, or a directory"
    )
    namespaces: tuple[str, ...] = Field(
        default=("default",), description="namespaces that jobs may be in"
    )
    node_pools: tuple[str, ...] = Field(
        default=("default",), description="node pools that jobs may ask for; `all` is always one"
    )
    regions: tuple[str, ...] = Field(
        default=("global",), description="what jobs may say as their `region`"
    )
    sensitive: tuple[str, ...] = Field(
        default=(),
        description="further values to hide, by path: "
        '`["env.*_PASSWORD", "config.args", "template.data"]`; see '
        "[sensitive values](#sensitive-values)",
    )
    ledger: LedgerConfig = LedgerConfig()
    reconcile: ReconcileConfig = ReconcileConfig()
    scheduler: SchedulerConfig = SchedulerConfig()
    ssh: SshConfig = SshConfig()


_SECTIONS: dict[str, type[_Section]] = {
    "ledger": LedgerConfig,
    "reconcile": ReconcileConfig,
    "scheduler": SchedulerConfig,
    "ssh": SshConfig,
}


class ConfigError(OrchError):
    """`orch.toml` is missing or wrong."""


def find(start: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of `orch.toml`: ``ORCH_CONFIG``, else the nearest one upwards of `start`.

    Raises `ConfigError` where there is none.
    """
    if named := environment.get("ORCH_CONFIG"):
        path = Path(named)
        if not path.is_file():
            raise ConfigError(f"{named}: no such file", "ORCH_CONFIG names it: correct it.")
        return path.resolve()
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / NAME).is_file():
            return folder / NAME
    raise ConfigError(
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
    """Validate what `text` was parsed to, strictly; lists are accepted where tuples are meant."""
    try:
        return Config.model_validate(_tuples(data))
    except ValidationError as e:
        problems = [
            _problem(text, name, error["loc"], error["type"], error["msg"]) for error in e.errors()
        ]
        raise ConfigError("\n".join(problems)) from e


def _tuples(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)  # pyright: ignore[reportUnknownVariableType]
    return value


def _problem(text: str, name: str, loc: tuple[int | str, ...], kind: str, message: str) -> str:
    dotted = ".".join(str(p) for p in loc)
    line = _line_of(text, str(loc[-1]))
    place = f"{name}:{line}" if line else name
    if kind == "extra_forbidden":
        return f"{place}: {dotted!r} is not a setting of orch{_suggestion(loc)}"
    if kind == "missing":
        return f"{name}: {dotted!r} is missing; give the cluster a name of its own"
    if kind == "tuple_type":
        return f'{place}: {dotted!r} must be a list, as in {dotted} = ["…"]'
    if kind == "string_pattern_mismatch":
        return f"{place}: {dotted!r} may hold letters, digits, '-' and '_' only"
    return f"{place}: {dotted!r}: {message}"


def _suggestion(loc: tuple[int | str, ...]) -> str:
    near = get_close_matches(str(loc[-1]), _names(str(loc[0])), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _names(section: str) -> list[str]:
    return list(_SECTIONS.get(section, Config).model_fields)


def _line_of(text: str, key: str) -> int:
    pattern = re.compile(rf"^\s*\[?{re.escape(key)}\b")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 0)


_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)")


def _place(path: Path, error: tomllib.TOMLDecodeError) -> str:
    found = _PLACE.search(str(error))
    return f"{path.name}:{found[1]}:{found[2]}" if found else path.name


def _without_place(error: tomllib.TOMLDecodeError) -> str:
    return _PLACE.sub("", str(error))
