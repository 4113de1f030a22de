"""JSON text → values of the job language, numbers exactly. Pure."""

from __future__ import annotations

import json
from typing import cast

from gitops.jobspec.values import Number, Value, ValueFault, number


def read_value(text: str) -> Value:
    """Return the value that JSON text stands for; raises `ValueFault`."""
    try:
        return _value(json.loads(text, parse_float=number, parse_constant=_constant))
    except (ValueError, RecursionError) as e:
        why = e.msg.lower() if isinstance(e, json.JSONDecodeError) else e
        raise ValueFault(f"this is not valid JSON: {why}") from None


def _constant(text: str) -> Number:
    raise ValueFault(f"{text} is not a number")


def _value(data: object) -> Value:
    if isinstance(data, list):
        return tuple(_value(v) for v in cast("list[object]", data))
    if isinstance(data, dict):
        return {k: _value(v) for k, v in cast("dict[str, object]", data).items()}
    return cast("Value", data)
