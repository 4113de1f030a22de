"""What stands in a job in the place of a sensitive value: a mark that shows as ``(sensitive)``.

A mark has the id of the key it was made with, and a digest. Those that a spec is evaluated with are
only numbered; `gitops.sealing` puts keyed ones in their place, by which a changed value can be told
from an equal one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

SHOWN = "(sensitive)"
# The key ids of marks that are only numbered, and of marks made without a key.
NUMBERED, KEYLESS = "00000000", "00000001"
_MARK = re.compile(r"\(sensitive:([0-9a-f]{8}):([0-9a-f]{32})\)")


def mark(key_id: str, digest: str) -> str:
    """Return the mark of 8 and 32 hexadecimal digits."""
    return f"(sensitive:{key_id}:{digest})"


def shown(text: str) -> str:
    """Return the text with ``(sensitive)`` for each mark."""
    return _MARK.sub(SHOWN, text) if "(sensitive:" in text else text


def found_in(text: str) -> list[str]:
    """Return the marks in a text."""
    return [m.group() for m in _MARK.finditer(text)] if "(sensitive:" in text else []


def key_ids(text: str) -> set[str]:
    """Return the ids of the keys that the marks in a text were made with."""
    return {m[1] for m in _MARK.finditer(text)} if "(sensitive:" in text else set()


def replaced(value: Any, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - plain JSON data
    """Return plain data with the values of marks for them, keys included; others stay."""
    if isinstance(value, str):
        return _text(value, values)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return {str(_text(k, values)): replaced(v, values) for k, v in pairs}
    if isinstance(value, list | tuple):
        return [replaced(v, values) for v in cast("list[Any]", value)]
    return value


def _text(text: str, values: Mapping[str, object]) -> object:
    if "(sensitive:" not in text:
        return text
    if text in values:
        return values[text]
    return _MARK.sub(lambda m: _word(values.get(m.group(), m.group())), text)


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(slots=True)
class Marks:
    """The sensitive values of one spec, by the marks that stand for them."""

    values: dict[str, object] = field(default_factory=dict[str, object])

    def of(self, value: object, *, keys: bool = True) -> object:
        """Return plain data in which each text, number and bool, and each key, is a mark."""
        if isinstance(value, Mapping):
            pairs = cast("Mapping[str, object]", value).items()
            return {self._one(k) if keys else k: self.of(v) for k, v in pairs}
        if isinstance(value, list | tuple):
            return [self.of(v) for v in cast("list[object]", value)]
        return value if value is None or value == "" else self._one(value)

    def _one(self, value: object) -> str:
        made = mark(NUMBERED, f"{len(self.values):032x}")
        self.values[made] = value
        return made
