"""`orch.toml`: where the job specs, the inventory and the ledger are. Never writes it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import OrchError, reason

NAME = "orch.toml"

_Cluster = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LedgerConfig(_Section):
    """Where decisions are recorded; without `url`, at the origin of the job repository."""

    url: str = ""
    prefix: str = "refs/orch"
    # Seconds without a sign of life after which another run may take over.
    lease_ttl: Annotated[float, Field(ge=1, le=3600)] = 30.0


class SshConfig(_Section):
    """How hosts are reached; inventory variables win."""

    user: str = ""
    known_hosts: str = ""
    # [user@]host[:port] through which every host is reached
    jump: str = ""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 32
    connect_timeout: Annotated[float, Field(gt=0, le=600)] = 10.0
    # Seconds in which a host has to answer one probe.
    probe_timeout: Annotated[float, Field(gt=0, le=600)] = 30.0


class ReconcileConfig(_Section):
    """What `orch reconcile` may do by itself."""

    auto_apply: bool = True
    # whether jobs that left the repository are stopped
    allow_deletions: bool = False


class SchedulerConfig(_Section):
    """How hosts are chosen."""

    algorithm: Literal["binpack", "spread"] = "binpack"


class Config(_Section):
    """The whole of `orch.toml`."""

    cluster: _Cluster
    # what the ledger calls the repository that jobs come from; empty: by its origin's address
    repository: Annotated[str, Field(max_length=200)] = ""
    jobs: tuple[str, ...] = ("jobs",)
    inventory: str = "inventory.yml"
    namespaces: tuple[str, ...] = ("default",)
    node_pools: tuple[str, ...] = ("default",)
    regions: tuple[str, ...] = ("global",)
    # further names below which values are sensitive, such as env.*_PASSWORD
    sensitive: tuple[str, ...] = ()
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
