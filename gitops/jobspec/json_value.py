"""JSON text → values of the job language, numbers exactly, and where each was written. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from gitops.jobspec.numbers import Number
from gitops.jobspec.syntax import Span
from gitops.jobspec.values import Value, ValueFault, normal, number

JsonPath: TypeAlias = "tuple[str | int, ...]"

MAX_NESTING = 48
_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SCALAR = re.compile(r"\"(?:[^\"\\]|\\.)*\"|[-+.\w]+", re.DOTALL)


def read_value(text: str) -> Value:
    """Return the value that JSON text stands for; raises `ValueFault`."""
    try:
        data = json.loads(text, parse_int=number, parse_float=number, parse_constant=_constant)
        return _value(data)
    except (ValueError, RecursionError) as e:
        why = e.msg.lower() if isinstance(e, json.JSONDecodeError) else e
        raise ValueFault(f"this is not valid JSON: {why}") from None


def _constant(text: str) -> Number:
    raise ValueFault(f"{text} is not a number")


def _value(data: object) -> Value:
    if isinstance(data, list):
        return tuple(_value(v) for v in cast("list[object]", data))
    if isinstance(data, dict):
        return {_text(k): _value(v) for k, v in cast("dict[str, object]", data).items()}
    return _text(data) if isinstance(data, str) else cast("Value", data)


def _text(value: str) -> str:
    """Return text in its normal form; half a surrogate pair stands for no character."""
    return normal(_SURROGATE.sub("\ufffd", value))


@dataclass(slots=True)
class JsonPlaces:
    """Where the values of JSON text are, and the names of its objects' members.

    The text must be valid JSON. Raises `ValueFault` for what nests too deeply.
    """

    text: str
    values: dict[JsonPath, Span] = field(default_factory=dict[JsonPath, Span])
    names: dict[JsonPath, Span] = field(default_factory=dict[JsonPath, Span])
    # Members of one object with the same name: only the last one counts.
    repeated: list[JsonPath] = field(default_factory=list[JsonPath])

    def __post_init__(self) -> None:
        start = 1 if self.text.startswith("\ufeff") else 0
        self._read(self._blank(start), ())

    def _blank(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        return match.end() if match else at

    def _read(self, at: int, path: JsonPath) -> int:
        """Note the value at `at`; return where it ends."""
        if len(path) > MAX_NESTING:
            raise ValueFault(f"at most {MAX_NESTING} levels are read")
        sign = self.text[at]
        if sign in "{[":
            end = self._members(at, path) if sign == "{" else self._items(at, path)
        else:
            end = self._scalar(at)
        self.values[path] = Span(at, end)
        return end

    def _scalar(self, at: int) -> int:
        match = _SCALAR.match(self.text, at)
        return match.end() if match else at + 1

    def _items(self, at: int, path: JsonPath) -> int:
        at, index = self._blank(at + 1), 0
        while self.text[at] != "]":
            at = self._next(self._read(at, (*path, index)))
            index += 1
        return at + 1

    def _members(self, at: int, path: JsonPath) -> int:
        at = self._blank(at + 1)
        while self.text[at] != "}":
            end = self._scalar(at)
            member = (*path, str(json.loads(self.text[at:end])))
            if member in self.names:
                self.repeated.append(member)
            self.names[member] = Span(at, end)
            colon = self._blank(end)
            at = self._next(self._read(self._blank(colon + 1), member))
        return at + 1

    def _next(self, at: int) -> int:
        at = self._blank(at)
        return self._blank(at + 1) if self.text[at] == "," else at
