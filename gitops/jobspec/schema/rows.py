"""What a table of the job language is made of: one table a block, one row an argument or block.

The decoder walks these; adding to the language is adding rows. Nothing here reads a spec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from gitops.jobspec.durations import parse_duration
from gitops.jobspec.syntax import Span
from gitops.jobspec.values import (
    Value,
    ValueFault,
    article,
    boolean,
    integer,
    number,
    plain,
    text,
)

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Data: TypeAlias = "dict[str, Json]"
Kind: TypeAlias = Callable[[Value], object]


class Shape(Enum):
    """How a row is written."""

    ARGUMENT = "argument"
    BLOCK = "block"
    BLOCKS = "blocks"
    KEYED = "blocks by label"
    MAP = "map"  # an argument or one block, free of form


@dataclass(frozen=True, slots=True)
class Row:
    """One name of the language: where its value goes, its kind, and what it is when not given.

    A `field` that begins with ``_`` is for the table's `finish` only. `note` says the limits.
    """

    name: str
    field: str
    kind: Kind
    default: object = None
    shape: Shape = Shape.ARGUMENT
    table: Table | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A block as decoded so far: its data by field, and the places of what was given."""

    data: dict[str, object]
    places: Mapping[str, Span]
    span: Span


@dataclass(frozen=True, slots=True)
class Table:
    """A block of the language.

    `label` is the field its label goes to; `constants` are fields that no argument sets; `finish`
    makes of the decoded data what it stands for. In the API's JSON it has the fields of `stored`
    beside those of the rows, of `sparse` only where given, by other names too (`also`), and
    fields that mean nothing in a spec (`unread`).
    """

    name: str
    rows: tuple[Row, ...]
    label: str = ""
    optional_label: bool = False
    constants: Mapping[str, object] = field(default_factory=dict[str, object])
    finish: Callable[[Decoded], None] | None = None
    stored: tuple[Row, ...] = ()
    sparse: tuple[Row, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict[str, str])
    unread: frozenset[str] = frozenset()

    @property
    def fields(self) -> dict[str, Row]:
        """The fields of the API's JSON that a spec's data always has."""
        return {r.field: r for r in (*self.rows, *self.stored) if not r.field.startswith("_")}


def argument(name: str, field_name: str, kind: Kind, default: object = None, note: str = "") -> Row:
    """Return the row of an argument."""
    return Row(name, field_name, kind, default, note=note)


def block(name: str, field_name: str, table: Table, note: str = "") -> Row:
    """Return the row of a block that may occur once."""
    return Row(name, field_name, anything, None, Shape.BLOCK, table, note)


def blocks(name: str, field_name: str, table: Table, note: str = "") -> Row:
    """Return the row of a block that may occur many times."""
    return Row(name, field_name, anything, None, Shape.BLOCKS, table, note)


def keyed(name: str, field_name: str, table: Table, note: str = "") -> Row:
    """Return the row of a block that may occur once for each label."""
    return Row(name, field_name, anything, None, Shape.KEYED, table, note)


def text_map(name: str, field_name: str) -> Row:
    """Return the row of a map of texts, as an argument or a block."""
    return Row(name, field_name, texts_by_name, None, Shape.MAP)


def free_map(name: str, field_name: str) -> Row:
    """Return the row of a map without any form, as an argument or a block."""
    return Row(name, field_name, free, None, Shape.MAP)


# Kinds: they take a value that is not null, and raise `ValueFault`.


def string(value: Value) -> str:
    """Take text; numbers and bools convert."""
    return text(value)


def whole(value: Value) -> int:
    """Take a whole number of 64 bits."""
    found = integer(value)
    if not -(2**63) <= found < 2**63:
        raise ValueFault("the number is too large")
    return found


def real(value: Value) -> float:
    """Take any number."""
    return float(number(value))


def flag(value: Value) -> bool:
    """Take a bool."""
    return boolean(value)


def duration(value: Value) -> int:
    """Take a duration such as ``"1m30s"``, or a bare number of nanoseconds."""
    return parse_duration(value) if isinstance(value, str) else whole(value)


def strings(value: Value) -> list[str]:
    """Take a list of texts."""
    if not isinstance(value, tuple):
        raise ValueFault(f"a list of strings is required, not {article(value)}")
    return [text(v) for v in value]


def wholes(value: Value) -> list[int]:
    """Take a list of whole numbers."""
    if not isinstance(value, tuple):
        raise ValueFault(f"a list of whole numbers is required, not {article(value)}")
    return [whole(v) for v in value]


def texts_by_name(value: Value) -> dict[str, str]:
    """Take a map of texts."""
    if not isinstance(value, dict):
        raise ValueFault(f"a map of strings is required, not {article(value)}")
    return {k: text(v) for k, v in value.items()}


def lists_by_name(value: Value) -> dict[str, list[str]]:
    """Take a map of lists of texts."""
    if not isinstance(value, dict):
        raise ValueFault(f"a map of lists is required, not {article(value)}")
    return {k: strings(v) for k, v in value.items()}


def anything(value: Value) -> object:
    """Take anything as it is."""
    return plain(value)


def free(value: Value) -> object:
    """Take a map of anything; a map in it becomes a list of one map, as a block would be."""
    if not isinstance(value, dict):
        raise ValueFault(f"a map is required, not {article(value)}")
    return plain({k: _listed(v) for k, v in value.items()})


def _listed(value: Value) -> Value:
    if isinstance(value, dict):
        return ({k: _listed(v) for k, v in value.items()},)
    return value
