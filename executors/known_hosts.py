"""The host keys that known_hosts texts trust, parsed once, looked up by address. Reads no file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha1

from inventory.public_key import is_public_key

DEFAULT_PORT = 22


class Trust(StrEnum):
    """What an entry says about its key."""

    HOST = ""
    CA = "@cert-authority"
    REVOKED = "@revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A public key line without names (``ssh-ed25519 AAAA…``), and where it is written down.

    With `by_pattern` that line is for other names too, which nobody could list.
    """

    line: str
    source: str
    trust: Trust = Trust.HOST
    by_pattern: bool = False


@dataclass(frozen=True, slots=True)
class _Hash:
    """A name's HMAC-SHA1, with the salt's two blocks ready: a third of the work of `hmac`."""

    inner: bytes
    outer: bytes
    digest: bytes

    def is_of(self, name: bytes) -> bool:
        inner = sha1(self.inner + name).digest()  # noqa: S324 - it is what the files hold
        return sha1(self.outer + inner).digest() == self.digest  # noqa: S324


_BLOCK = 64
_INNER = bytes(b ^ 0x36 for b in range(256))
_OUTER = bytes(b ^ 0x5C for b in range(256))


@dataclass(frozen=True, slots=True)
class _Globs:
    patterns: tuple[str, ...]
    key: KnownKey


@dataclass(slots=True)
class KnownHosts:
    """All entries of some known_hosts files. A plain name costs one dictionary look-up."""

    _named: dict[str, list[KnownKey]] = field(default_factory=dict[str, list[KnownKey]])
    _hashed: list[tuple[_Hash, KnownKey]] = field(default_factory=list[tuple[_Hash, KnownKey]])
    _globs: list[_Globs] = field(default_factory=list[_Globs])
    _claimed: dict[bytes, tuple[KnownKey, ...]] = field(
        default_factory=dict[bytes, tuple[KnownKey, ...]]
    )

    def add(self, text: str, source: str) -> None:
        """Take in the text of one file; what is no entry is passed over, as ssh does."""
        for number, line in enumerate(text.split("\n"), 1):
            words = line.split(None, 3)
            trust = Trust.HOST
            if words and words[0] in (Trust.CA, Trust.REVOKED):
                trust = Trust(words[0])
                words = line.split(None, 4)[1:]
            if len(words) < 3 or words[0].startswith(("#", "@")):  # noqa: PLR2004
                continue
            key = KnownKey(
                line=f"{words[1]} {words[2]}",
                source=f"{source}:{number}",
                trust=trust,
                by_pattern=any(c in words[0] for c in "*?!"),
            )
            self._add(words[0], key)

    def _add(self, names: str, key: KnownKey) -> None:
        if names.startswith("|1|"):
            if (hashed := _hash(names)) is not None:
                self._hashed.append((hashed, key))
        elif key.by_pattern:
            self._globs.append(_Globs(tuple(names.lower().split(",")), key))
        else:
            for name in names.lower().split(","):
                self._named.setdefault(name, []).append(key)

    def keys(self, address: str, port: int) -> tuple[KnownKey, ...]:
        """Return the keys known for an address."""
        return self.named(known_name(address, port))

    def named(self, name: str) -> tuple[KnownKey, ...]:
        """Return the keys known by a name, in the order exact, hashed, by pattern."""
        lower = name.lower()
        found = (
            *self._named.get(lower, ()),
            *(key for spelling in _spellings(name) for key in self._claim(spelling)),
            *(g.key for g in self._globs if _globs_match(g.patterns, lower)),
        )
        # ssh passes over what is no key; judged only now, since few entries are ever asked for
        return tuple(key for key in found if is_public_key(*key.line.split()))

    def _claim(self, name: bytes) -> tuple[KnownKey, ...]:
        """Try each hash that no name has claimed yet: it stands for one only."""
        if name not in self._claimed:
            left, found = list[tuple[_Hash, KnownKey]](), list[KnownKey]()
            for entry in self._hashed:
                if entry[0].is_of(name):
                    found.append(entry[1])
                else:
                    left.append(entry)
            self._claimed[name] = tuple(found)
            if found:
                self._hashed = left
        return self._claimed[name]


def known_name(address: str, port: int) -> str:
    """Return the name under which known_hosts files keep an address."""
    return address if port == DEFAULT_PORT else f"[{address}]:{port}"


def fingerprint(line: str) -> str:
    """Return the SHA256 fingerprint of a public key line, in OpenSSH's form."""
    raw = base64.b64decode(line.split()[1])
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def trust_command(host: str) -> str:
    """Return the command that shows a host's key, and trusts it."""
    return f"orch host trust {shlex.quote(host)}"


def hashes_to(names: str, name: str) -> bool:
    """Whether the first word of an entry is the hash of a name."""
    hashed = _hash(names) if names.startswith("|1|") else None
    return hashed is not None and any(hashed.is_of(n) for n in _spellings(name))


def _hash(names: str) -> _Hash | None:
    """Return the hash that an entry has in the place of names; None where it is none."""
    try:
        salt, digest = (base64.b64decode(part) for part in names[3:].split("|"))
    except (ValueError, binascii.Error):
        return None
    if len(salt) > _BLOCK:
        return None
    block = salt.ljust(_BLOCK, b"\0")
    return _Hash(block.translate(_INNER), block.translate(_OUTER), digest)


def _spellings(name: str) -> tuple[bytes, ...]:
    """Return what may have been hashed: ssh hashes addresses in lower case, aliases as they are."""
    return tuple(dict.fromkeys((name.lower().encode(), name.encode())))


def inventory_keys(lines: Iterable[str], host: str) -> tuple[KnownKey, ...]:
    """Return the keys that the inventory gives for a host."""
    source = f"orch_host_key of {host} in the inventory"
    return tuple(KnownKey(line=line, source=source) for line in lines)


def _globs_match(patterns: tuple[str, ...], name: str) -> bool:
    if any(p.startswith("!") and _glob(p[1:], name) for p in patterns):
        return False
    return any(not p.startswith("!") and _glob(p, name) for p in patterns)


def _glob(pattern: str, name: str) -> bool:
    # a bracket is part of a name here ("[host]:port"), never a set of characters
    return fnmatchcase(name.replace("[", "("), pattern.replace("[", "("))
