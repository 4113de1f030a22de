"""The tables of docs/configuration.md, printed from the code that reads the settings. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gitops.config import Config
from inventory import variables
from tests.docs import cli_page

_PART = re.compile(r"(<!-- (\w+) -->).*?(<!-- /\2 -->)", re.DOTALL)
_SIGNS = {"ge": "at least", "gt": "above", "le": "at most", "max_length": "at most"}


def printed(page: str) -> str:
    """Return the page with its marked parts printed anew; its prose stays."""
    parts = {"settings": settings(), "variables": inventory_variables(), "flags": flags()}
    return _PART.sub(lambda m: f"{m[1]}\n{parts[m[2]]}{m[3]}", page)


def settings() -> str:
    """Return the table of what `orch.toml` may hold."""
    rows = [_setting(name, field) for name, field in _fields(Config)]
    return "| setting | default | limits | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _fields(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, f"{above}{name}.")
        else:
            yield f"{above}{name}", field


def _setting(name: str, field: FieldInfo) -> str:
    default = "(needed)" if field.is_required() else f"`{_toml(field.default)}`"
    cells = [f"`{name}`", default if field.default != "" else "", _limits(field)]
    return " ".join(f"| {c}".rstrip() for c in [*cells, field.description or ""]) + " |\n"


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _limits(field: FieldInfo) -> str:
    found = [
        f"{words} {getattr(bound, sign):g}" + (" characters" if sign == "max_length" else "")
        for sign, words in _SIGNS.items()
        for bound in field.metadata
        if hasattr(bound, sign)
    ]
    if any(getattr(bound, "pattern", None) for bound in field.metadata):
        found.append("letters, digits, `-`, `_`; at most 63")
    return ", ".join(found)


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
