"""Git's objects as bytes: trees, commits, and packs of them. Pure; reads and writes no file."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["commit", "tree", "blob"]
Load = Callable[[str], bytes]

_PACK_KIND: Mapping[Kind, int] = {"commit": 1, "tree": 2, "blob": 3}
_FILE = "100644"
_DIRECTORY = "40000"
_OID_BYTES = 20


class ObjectFormatError(ValueError):
    """Bytes are not the object they were taken for."""


@dataclass(frozen=True)
class GitObject:
    """One object; `oid` is its name."""

    kind: Kind
    data: bytes

    @cached_property
    def oid(self) -> str:
        """The SHA-1 name that Git gives to this content."""
        head = f"{self.kind} {len(self.data)}\0".encode()
        return hashlib.sha1(head + self.data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree."""

    oid: str
    directory: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit, and when (seconds since the epoch)."""

    name: str
    email: str
    time: int

    @property
    def text(self) -> str:
        """The form that stands in a commit."""
        return f"{_plain(self.name)} <{_plain(self.email)}> {self.time} +0000"


def _plain(word: str) -> str:
    return re.sub(r"[\x00-\x1f<>]", "", word).strip() or "orch"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `parent` is empty for the first."""

    tree: str
    parent: str
    who: Signature
    message: str

    def encoded(self) -> GitObject:
        """Return the object."""
        lines = [f"tree {self.tree}"]
        if self.parent:
            lines.append(f"parent {self.parent}")
        lines += [f"author {self.who.text}", f"committer {self.who.text}", "", self.message]
        return GitObject("commit", "\n".join(lines).encode() + b"\n")


_COMMIT = re.compile(
    rb"tree (?P<tree>[0-9a-f]{40})\n(?:parent (?P<parent>[0-9a-f]{40})\n)?author [^\n]*\n"
    rb"committer (?P<name>[^<\n]*)<(?P<email>[^>\n]*)> (?P<time>\d{1,15}) [-+]\d{4}\n"
    rb"(?:[a-z][^\n]*\n(?: [^\n]*\n)*)*\n(?P<message>.*)",
    re.DOTALL,
)


def parse_commit(data: bytes) -> Commit:
    """Return the commit; one with several parents, or none of ours, is an ObjectFormatError."""
    m = _COMMIT.fullmatch(data)
    if m is None:
        raise ObjectFormatError("not a commit of a ledger")
    text = {k: (v or b"").decode("utf-8", "replace").strip() for k, v in m.groupdict().items()}
    who = Signature(text["name"], text["email"], int(text["time"]))
    return Commit(text["tree"], text["parent"], who, text["message"])


def parse_tree(data: bytes) -> dict[str, Entry]:
    """Return the entries of a tree by name."""
    entries: dict[str, Entry] = {}
    at = 0
    while at < len(data):
        end = data.find(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + _OID_BYTES
        if end < 0 or at > len(data):
            raise ObjectFormatError("cut short")
        oid = data[end + 1 : at].hex()
        entries[name.decode("utf-8", "replace")] = Entry(oid, mode.lstrip(b"0") == b"40000")
    return entries


def tree(entries: Mapping[str, Entry]) -> GitObject:
    """Return the tree of these entries, in Git's order."""
    ordered = sorted(entries.items(), key=lambda kv: (kv[0] + "/" * kv[1].directory).encode())
    return GitObject(
        "tree",
        b"".join(
            f"{_DIRECTORY if e.directory else _FILE} {name}\0".encode() + bytes.fromhex(e.oid)
            for name, e in ordered
        ),
    )


def changed_tree(root: str, files: Mapping[str, bytes], load: Load) -> list[GitObject]:
    """Return the new objects of tree `root` (empty: none) with `files` put into it.

    The last one is the new root. Unchanged subtrees are not loaded.
    """
    entries = parse_tree(load(root)) if root else {}
    made: list[GitObject] = []
    below: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = content
        else:
            made.append(GitObject("blob", content))
            entries[name] = Entry(made[-1].oid)
    for name, inner in below.items():
        old = entries.get(name)
        made += changed_tree(old.oid if old and old.directory else "", inner, load)
        entries[name] = Entry(made[-1].oid, directory=True)
    return [*made, tree(entries)]


def pack(objects: Iterable[GitObject]) -> bytes:
    """Return the objects in Git's pack format."""
    unique = {o.oid: o for o in objects}
    parts = [b"PACK" + struct.pack(">II", 2, len(unique))]
    for o in unique.values():
        parts += [_pack_header(o), zlib.compress(o.data, 1)]
    body = b"".join(parts)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _pack_header(o: GitObject) -> bytes:
    size = len(o.data)
    out = bytearray([(_PACK_KIND[o.kind] << 4) | (size & 0x0F)])
    size >>= 4
    while size:
        out[-1] |= 0x80
        out.append(size & 0x7F)
        size >>= 7
    return bytes(out)
