"""Functions of encodings and digests."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import uuid
from collections.abc import Callable
from urllib.parse import quote_plus

from gitops.jobspec.functions.json_text import json_text
from gitops.jobspec.functions.lazily import Eager, anything
from gitops.jobspec.json_value import read_value
from gitops.jobspec.values import Value, ValueFault, text

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


def _decode64(value: str) -> Value:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValueFault("this is not the base64 form of UTF-8 text") from None


def _encode64(value: str) -> Value:
    return base64.b64encode(value.encode()).decode()


def _csvdecode(value: str) -> Value:
    try:
        rows = list(csv.reader(io.StringIO(value, newline=""), strict=True))
    except csv.Error as e:
        raise ValueFault(f"this is not CSV: {e}") from None
    head, *rest = rows or [[]]
    if len(set(head)) != len(head) or any(len(r) != len(head) for r in rest):
        raise ValueFault("each row has one value for each name of the first row, which are unique")
    return tuple(_record(head, row) for row in rest)


def _record(names: list[str], cells: list[str]) -> Value:
    return dict[str, Value](zip(names, cells, strict=True))


def _digest(name: str) -> Eager:
    def body(value: str) -> Value:
        return hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest()

    return Eager(body, (text,))


def _urlencode(value: str) -> Value:
    return quote_plus(value)


def _uuidv5(namespace: str, name: str) -> Value:
    try:
        base = _NAMESPACES.get(namespace) or uuid.UUID(namespace)
    except ValueError:
        raise ValueFault(f"the namespace is a UUID or one of {', '.join(_NAMESPACES)}") from None
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
    "uuidv5": Eager(_uuidv5, (text, text)),
}
