"""The tables of docs/configuration.md, printed from the code that reads the settings. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from gitops.config import Config
from gitops.settings import Rule
from inventory import variables
from tests.docs import cli_page

_PART = re.compile(r"(<!-- (\w+) -->).*?(<!-- /\2 -->)", re.DOTALL)


def printed(page: str) -> str:
    """Return the page with its marked parts printed anew; its prose stays."""
    parts = {"settings": settings(), "variables": inventory_variables(), "flags": flags()}
    return _PART.sub(lambda m: f"{m[1]}\n{parts[m[2]]}{m[3]}", page)


def settings() -> str:
    """Return the table of what `orch.toml` may hold."""
    rows = [_setting(name, field) for name, field in _fields(Config)]
    return "| setting | default | limits | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _fields(kind: type[Any], above: str = "") -> Iterator[tuple[str, Field[Any]]]:
    for field in fields(kind):
        if is_dataclass(field.default):
            yield from _fields(type(field.default), f"{above}{field.name}.")
        else:
            yield f"{above}{field.name}", field


def _setting(name: str, field: Field[Any]) -> str:
    default = "(needed)" if field.default is MISSING else f"`{_toml(field.default)}`"
    rule: Rule | None = field.metadata["rule"]
    cells = [
        f"`{name}`",
        "" if field.default == "" or repr(field.default) == "0.0" else default,
        rule.limits if rule else "",
        field.metadata["description"],
    ]
    return " ".join(f"| {c}".rstrip() for c in cells) + " |\n"


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def inventory_variables() -> str:
    """Return the table of the variables that orch reads."""
    spellings = variables.spellings()
    rows = [
        f"| `{name}` | {meaning}{_others(name, spellings[name])} |\n"
        for name, meaning in variables.meanings().items()
    ]
    return "| variable | meaning |\n|---|---|\n" + "".join(rows)


def _others(name: str, spellings: tuple[str, ...]) -> str:
    others = [f"`{other}`" for other in spellings if other != name]
    return f" (also {', '.join(others)})" if others else ""


def flags() -> str:
    """Return the table of variables of the environment that are flags."""
    rows = [
        f"| `{variable}` | {', '.join(f'`{flag}`' for flag in names)} |\n"
        for variable, names in cli_page.variables().items()
    ]
    return "| variable | instead of |\n|---|---|\n" + "".join(rows)
