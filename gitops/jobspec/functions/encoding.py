"""Functions of encodings and digests."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import re
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import quote_plus

from gitops.jobspec.functions.json_text import json_text
from gitops.jobspec.functions.lazily import Eager, anything
from gitops.jobspec.json_value import read_value
from gitops.jobspec.types import STRING, Type
from gitops.jobspec.values import MAX_ITEMS, ListValue, Value, ValueFault, normal, text

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)


def _decode64(value: str) -> Value:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValueFault("this is not the base64 form of UTF-8 text") from None


def _encode64(value: str) -> Value:
    return base64.b64encode(value.encode()).decode()


def _csvdecode(value: str) -> Value:
    if len(value) > MAX_ITEMS * 4:
        raise ValueFault("the text is too large")
    rows = _rows(value)
    head = next(rows, None)
    if head is None:
        raise ValueFault("the first row, which names the columns, is missing")
    rest = list(rows)
    if len(set(head)) != len(head) or any(len(r) != len(head) for r in rest):
        raise ValueFault("each row has one value for each name of the first row, which are unique")
    item = Type("object", None, tuple((n, STRING) for n in sorted(head)))
    return ListValue.of((_record(head, row) for row in rest), item)


def _rows(value: str) -> Iterator[list[str]]:
    """Yield the rows that are not empty; a quote stands around a whole value or is doubled."""
    _check_quotes(value)
    try:
        yield from (r for r in csv.reader(io.StringIO(value, newline=""), strict=True) if r)
    except csv.Error as e:
        raise ValueFault(f"this is not CSV: {e}") from None


_CSV_PART = re.compile(r'"(?:[^"]|"")*"(?=,|\r?\n|\Z)|[^",\r\n]*(?=,|\r?\n|\Z)|[^",\n]*')
_CSV_BREAK = re.compile(r",|\r?\n")


def _check_quotes(value: str) -> None:
    at = 0
    while at < len(value):
        match = _CSV_PART.match(value, at)
        at = match.end() if match else at
        if at == len(value):
            return
        after = _CSV_BREAK.match(value, at)
        if after is None:
            raise ValueFault("this is not CSV: a quote stands inside a value without quotes")
        at = after.end()


def _record(names: list[str], cells: list[str]) -> Value:
    return dict[str, Value](zip(names, map(normal, cells), strict=True))


def _digest(name: str) -> Eager:
    def body(value: str) -> Value:
        return hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest()

    return Eager(body, (text,))


def _urlencode(value: str) -> Value:
    return quote_plus(value)


def _uuidv4() -> Value:
    return str(uuid.uuid4())


def _uuidv5(namespace: str, name: str) -> Value:
    base = _NAMESPACES.get(namespace)
    if base is None:
        bare = namespace.removeprefix("urn:uuid:")
        bare = bare[1:-1] if bare[:1] + bare[-1:] == "{}" else bare
        if not _UUID.fullmatch(bare):
            raise ValueFault(f"the namespace is a UUID or one of {', '.join(_NAMESPACES)}")
        base = uuid.UUID(bare)
    return str(uuid.uuid5(base, name))


def _text_of(function: Callable[[Value], str]) -> Eager:
    def body(value: Value) -> Value:
        return function(value)

    return Eager(body, (anything,))


FUNCTIONS: dict[str, Eager] = {
    "base64decode": Eager(_decode64, (text,)),
    "base64encode": Eager(_encode64, (text,)),
    "csvdecode": Eager(_csvdecode, (text,)),
    "jsondecode": Eager(read_value, (text,)),
    "jsonencode": _text_of(json_text),
    "md5": _digest("md5"),
    "sha1": _digest("sha1"),
    "sha256": _digest("sha256"),
    "sha512": _digest("sha512"),
    "urlencode": Eager(_urlencode, (text,)),
    "uuidv4": Eager(_uuidv4, varies=True),
    "uuidv5": Eager(_uuidv5, (text, text)),
}
