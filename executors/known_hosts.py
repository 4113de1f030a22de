"""The host keys that known_hosts texts trust, parsed once, looked up by address. Reads no file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

DEFAULT_PORT = 22


class Trust(StrEnum):
    """What an entry says about its key."""

    HOST = ""
    CA = "@cert-authority"
    REVOKED = "@revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A public key line without names (``ssh-ed25519 AAAA…``), and where it is written down."""

    line: str
    source: str
    trust: Trust = Trust.HOST


@dataclass(frozen=True, slots=True)
class _Hashed:
    salt: bytes
    digest: bytes
    key: KnownKey


@dataclass(frozen=True, slots=True)
class _Globs:
    patterns: tuple[str, ...]
    key: KnownKey


@dataclass(slots=True)
class KnownHosts:
    """All entries of some known_hosts files. A plain name costs one dictionary look-up."""

    _named: dict[str, list[KnownKey]] = field(default_factory=dict[str, list[KnownKey]])
    _hashed: list[_Hashed] = field(default_factory=list[_Hashed])
    _globs: list[_Globs] = field(default_factory=list[_Globs])
    _claimed: dict[str, tuple[KnownKey, ...]] = field(
        default_factory=dict[str, tuple[KnownKey, ...]]
    )

    def add(self, text: str, source: str) -> None:
        """Take in the text of one file; what is no entry is passed over, as ssh does."""
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split(None, 3)
            trust = Trust.HOST
            if words and words[0] in (Trust.CA, Trust.REVOKED):
                trust = Trust(words[0])
                words = line.split(None, 4)[1:]
            if len(words) < 3 or words[0].startswith(("#", "@")):  # noqa: PLR2004
                continue
            key = KnownKey(line=f"{words[1]} {words[2]}", source=f"{source}:{number}", trust=trust)
            self._add(words[0], key)

    def _add(self, names: str, key: KnownKey) -> None:
        if names.startswith("|1|"):
            self._add_hashed(names, key)
        elif any(c in names for c in "*?!"):
            self._globs.append(_Globs(tuple(names.lower().split(",")), key))
        else:
            for name in names.lower().split(","):
                self._named.setdefault(name, []).append(key)

    def _add_hashed(self, names: str, key: KnownKey) -> None:
        try:
            salt, digest = (base64.b64decode(part) for part in names[3:].split("|"))
        except (ValueError, binascii.Error):
            return
        self._hashed.append(_Hashed(salt, digest, key))

    def keys(self, address: str, port: int) -> tuple[KnownKey, ...]:
        """Return the keys known for an address."""
        return self.named(known_name(address, port))

    def named(self, name: str) -> tuple[KnownKey, ...]:
        """Return the keys known by a name, in the order exact, hashed, by pattern."""
        name = name.lower()
        return (
            *self._named.get(name, ()),
            *self._by_hash(name),
            *(g.key for g in self._globs if _globs_match(g.patterns, name)),
        )

    def _by_hash(self, name: str) -> tuple[KnownKey, ...]:
        """Try each hash that nobody has claimed yet: it stands for one name only."""
        if name not in self._claimed:
            raw, left, found = name.encode(), list[_Hashed](), list[KnownKey]()
            for hashed in self._hashed:
                if hmac.digest(hashed.salt, raw, "sha1") == hashed.digest:
                    found.append(hashed.key)
                else:
                    left.append(hashed)
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
    if not names.startswith("|1|"):
        return False
    try:
        salt, digest = (base64.b64decode(part) for part in names[3:].split("|"))
    except (ValueError, binascii.Error):
        return False
    return _hashes(name, salt, digest)


def _hashes(name: str, salt: bytes, digest: bytes) -> bool:
    """Whether a name has this hash: ssh hashes addresses in lower case, and aliases as they are."""
    names = dict.fromkeys((name.lower(), name))
    return any(hmac.digest(salt, n.encode(), "sha1") == digest for n in names)


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
