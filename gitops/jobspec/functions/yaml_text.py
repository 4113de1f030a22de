"""Values as YAML and back: plain data only, bounded. Imports the library on first use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, cast

from gitops.jobspec.functions.json_text import check_size
from gitops.jobspec.functions.lazily import Eager, anything
from gitops.jobspec.numbers import parsed
from gitops.jobspec.values import MAX_ITEMS, Value, ValueFault, normal, text

if TYPE_CHECKING:
    from yaml import Event, Node

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_INTEGER = re.compile(r"[-+]?\d+", re.ASCII)
_BASED = re.compile(r"([-+]?)0(?:x([0-9a-fA-F]+)|o([0-7]+))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_INFINITY = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?: (?=[\d:.]*$)|[Tt](?=.*(?:Z|[-+]\d\d:\d\d)$))"
    r"(\d\d?):(\d\d?):(\d\d?)(?:\.\d*)?(?P<zone>Z|[-+]\d\d:\d\d)?",
    re.ASCII,
)
_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset({"int", "float", "bool", "null", "timestamp"})
_MAX_DEEP = 48
_MAX_CHARACTERS = 80_000  # the parser is slow


def _yamldecode(value: str) -> Value:
    import yaml

    class Loader(yaml.BaseLoader):
        """Marks what has no tag of its own with an empty one."""

        def resolve(self, kind: object, value: object, implicit: object) -> str:
            return ""

    if len(value) > _MAX_CHARACTERS:
        raise ValueFault(f"at most {_MAX_CHARACTERS} characters are read")
    try:
        node = yaml.compose(value, Loader=Loader)
        if node is None:
            raise ValueFault("there is no document in it")
        return _Builder().value(node, 0)
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        raise ValueFault(f"this is not valid YAML: {' '.join(str(e).split())[:300]}") from None


class _Builder:
    """Makes values of nodes, a bounded number of them."""

    def __init__(self) -> None:
        self.left = MAX_ITEMS // 4

    def value(self, node: Node, deep: int) -> Value:
        import yaml

        self.left -= 1
        if self.left < 0 or deep > _MAX_DEEP:
            raise ValueFault("the document is too large, or refers to itself")
        tag = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.ScalarNode):
            return _tagged(tag, str(node.value), plain=node.style is None)
        if tag not in ("", "seq" if isinstance(node, yaml.SequenceNode) else "map"):
            raise ValueFault(f"there are no values of {node.tag!r}")
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.value(n, deep + 1) for n in cast("list[Node]", node.value))
        return self._mapping(cast("list[tuple[Node, Node]]", node.value), deep)

    def _mapping(self, pairs: list[tuple[Node, Node]], deep: int) -> Value:
        made: dict[str, Value] = {}
        for key, value in pairs:
            if key.value == "<<" and getattr(key, "style", None) is None:
                made |= self._merged(self.value(value, deep + 1))
                continue
            name = self.value(key, deep + 1)
            if name is None or isinstance(name, tuple | dict):
                raise ValueFault("the key of a map is a text, number or bool")
            made[text(name)] = self.value(value, deep + 1)
        return made

    def _merged(self, value: Value) -> dict[str, Value]:
        if isinstance(value, dict):
            return value
        if isinstance(value, tuple) and all(isinstance(v, dict) for v in value):
            return {k: v for m in value if isinstance(m, dict) for k, v in m.items()}
        raise ValueFault('only maps are merged with "<<"')


def _tagged(tag: str, written: str, *, plain: bool) -> Value:
    if tag in ("str", "binary") or (not plain and tag in ("", *_SCALARS)):
        return normal(written)
    if tag not in ("", *_SCALARS):
        raise ValueFault(f"there are no values of {tag!r}")
    if tag == "null":
        return None
    found = scalar(written)
    if tag in ("int", "float", "bool") and isinstance(found, str):
        raise ValueFault(f"{written[:40]!r} is no {tag}")
    return found


def scalar(written: str) -> Value:
    """Return what a word without quotes stands for."""
    if written in _NULL:
        return None
    if written in _TRUE or written in _FALSE:
        return written in _TRUE
    if _INTEGER.fullmatch(written) or _FLOAT.fullmatch(written):
        return parsed(written)
    based = _BASED.fullmatch(written)
    if based and len(written) < _MAX_DEEP:
        sign, sixteen, eight = based.groups()
        size = int(sixteen, 16) if sixteen else int(eight, 8)
        return -size if sign == "-" else size
    infinite = _INFINITY.fullmatch(written)
    if infinite:
        return parsed(f"{infinite.group(1)}Inf")
    if written in (".nan", ".NaN", ".NAN"):
        raise ValueFault("there is no number for .nan")
    return _moment(written) or normal(written)


def _moment(written: str) -> str | None:
    found = _DATE.fullmatch(written) or _MOMENT.fullmatch(written)
    if found is None:
        return None
    zone = found["zone"] if found.re is _MOMENT else None
    numbers = [int(g) for g in found.groups()[:6]]
    year, month, day, hour, minute, second = (*numbers, 0, 0, 0)[:6]
    try:
        when = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    shown = "Z" if zone in (None, "+00:00", "-00:00") else zone
    return f"{when.isoformat(timespec='seconds')}{shown}"


def _yamlencode(value: Value) -> Value:
    from gitops.jobspec.functions.yaml_emitter import emitted

    check_size(value)
    plain = not isinstance(value, str | tuple | dict)
    return emitted(list(_events(value)), plain=plain)


def _events(value: Value) -> Iterator[Event]:
    import yaml

    if isinstance(value, dict):
        yield yaml.MappingStartEvent(None, None, implicit=True, flow_style=not value)
        for key in sorted(value):
            yield from _events(key)
            yield from _events(value[key])
        yield yaml.MappingEndEvent()
    elif isinstance(value, tuple):
        yield yaml.SequenceStartEvent(None, None, implicit=True, flow_style=not value)
        for item in value:
            yield from _events(item)
        yield yaml.SequenceEndEvent()
    elif isinstance(value, str):
        style = "|" if "\n" in value else '"'
        yield yaml.ScalarEvent(None, None, (True, True), value, style=style)
    else:
        yield yaml.ScalarEvent(None, None, (True, True), _plain(value), style="")


def _plain(value: Value) -> str:
    if value is None:
        return "null"
    return text(value)


FUNCTIONS: dict[str, Eager] = {
    "yamldecode": Eager(_yamldecode, (text,)),
    "yamlencode": Eager(_yamlencode, (anything,)),
}
