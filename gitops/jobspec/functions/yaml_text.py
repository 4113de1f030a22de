"""Values as YAML and back: the safe subset, bounded. Imports the library on first use."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from gitops.jobspec.functions.json_text import json_text, quoted
from gitops.jobspec.functions.lazily import Eager, anything
from gitops.jobspec.values import MAX_ITEMS, Value, ValueFault, simple, text


def _yamldecode(value: str) -> Value:
    import yaml

    try:
        data = cast("object", yaml.safe_load(value))
        return _value(data, [MAX_ITEMS])
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        raise ValueFault(f"this is not valid YAML: {' '.join(str(e).split())}") from None


def _value(data: object, left: list[int]) -> Value:
    left[0] -= 1
    if left[0] < 0:
        raise ValueFault(f"the document has more than {MAX_ITEMS} parts")
    if isinstance(data, list):
        return tuple(_value(v, left) for v in cast("list[object]", data))
    if isinstance(data, dict):
        return {str(k): _value(v, left) for k, v in cast("dict[object, object]", data).items()}
    if isinstance(data, float):
        return simple(Fraction(repr(data)))
    return data if data is None or isinstance(data, str | bool | int) else str(data)


def _yamlencode(value: Value) -> Value:
    json_text(value)  # bounds the size
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Value) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for k in sorted(value) for line in _entry(k, value[k])]
    if isinstance(value, tuple) and value:
        return [line for v in value for line in _hung("- ", _lines(v))]
    if isinstance(value, str) and "\n" in value.rstrip("\n"):
        mark = "|" if value.endswith("\n") else "|-"
        return [mark, *(f"  {line}" for line in value.removesuffix("\n").split("\n"))]
    return [quoted(value) if isinstance(value, str) else json_text(value)]


def _entry(key: str, value: Value) -> list[str]:
    head = f"{quoted(key)}:"
    lines = _lines(value)
    if isinstance(value, dict) and value:
        return [head, *(f"  {line}" for line in lines)]
    if isinstance(value, tuple) and value:
        return [head, *lines]
    return [f"{head} {lines[0]}", *lines[1:]]


def _hung(mark: str, lines: list[str]) -> list[str]:
    return [mark + lines[0], *(f"  {line}" for line in lines[1:])]


FUNCTIONS: dict[str, Eager] = {
    "yamldecode": Eager(_yamldecode, (text,)),
    "yamlencode": Eager(_yamlencode, (anything,)),
}
