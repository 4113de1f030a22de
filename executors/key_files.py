"""Key and certificate files, each read once. Never asks for a passphrase, never shows a key."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh.public_key import decode_ssh_certificate

from executors.home import NoHomeError, at_home
from executors.printable import printable

_OPENSSH = b"openssh-key-v1\0"
_LARGEST = 1 << 20
_CERTIFICATE = "-cert.pub"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """What a file gives: a private key, or the public half of one that an agent may have.

    `trouble` says why there is no private key, and `remedy` what to do about it; one that is
    `locked` takes a passphrase, one that is `absent` can't be opened.
    """

    path: str
    key: asyncssh.SSHKey | None = None
    public: bytes = b""
    trouble: str = ""
    remedy: str = ""
    locked: bool = False
    absent: bool = False


def read_key(path: str) -> KeyFile:
    """Read a private key, or what can be known without it."""
    try:
        return _read(path, at_home(path))
    except NoHomeError as e:
        return KeyFile(path=path, trouble=e.message, remedy=_NAME, absent=True)


def _read(path: str, file: Path) -> KeyFile:
    try:
        data = _data(file)
        exposed = _exposed(file)
    except OSError as e:
        return _absent(path, file, e)
    if found := _public(data):
        return KeyFile(path=path, public=found, trouble=f"{path} is a public key")
    if exposed:
        return KeyFile(path=path, trouble=f"{path}: {exposed}", remedy=f"{_OWN}{path}")
    known = _inner_public(data) or _public_of(_beside(file))
    if _is_encrypted(data):
        return KeyFile(path=path, public=known, trouble=f"{path} is encrypted", locked=True)
    if _type(known).startswith("sk-"):
        return KeyFile(path=path, public=known, trouble=f"{path} is the handle of a FIDO key")
    return _imported(path, data)


def _absent(path: str, file: Path, error: OSError) -> KeyFile:
    if found := _public_of(_beside(file)):
        return KeyFile(path=path, public=found, trouble=f"{path} is not there")
    trouble = f"{path}: {error.strerror or error}"
    return KeyFile(path=path, trouble=trouble, remedy=_NAME, absent=True)


def read_certificate(path: str) -> asyncssh.SSHCertificate | None:
    """Read a certificate; None where there is none."""
    try:
        return asyncssh.import_certificate(_data(at_home(path)))
    except (NoHomeError, OSError, ValueError, asyncssh.KeyImportError):
        return None


def certificate_beside(path: str) -> str:
    """Return where the certificate of a key is by custom."""
    return f"{path.removesuffix('.pub')}{_CERTIFICATE}"


def certified_key(data: bytes) -> bytes:
    """Return the key that a certificate in its binary form is of; empty for what is none."""
    if not _type(data).endswith("-cert-v01@openssh.com"):
        return b""
    try:
        return decode_ssh_certificate(data).key.public_data
    except (asyncssh.KeyImportError, ValueError):
        return b""


_NAME = "Check ansible_ssh_private_key_file in the inventory."
_OWN = "Make it yours alone: chmod 600 "
_SHAPE = "A private key file begins with '-----BEGIN'; the .pub file is the public one."


def _imported(path: str, data: bytes) -> KeyFile:
    try:
        key = asyncssh.import_private_key(data)
    except (asyncssh.KeyImportError, ValueError) as e:
        trouble = f"{path} is not a private key: {printable(str(e))}"
        return KeyFile(path=path, trouble=trouble, remedy=_SHAPE)
    return KeyFile(path=path, key=key, public=key.public_data)


def _data(file: Path) -> bytes:
    with file.open("rb") as f:
        return f.read(_LARGEST)


def _exposed(file: Path) -> str:
    """Say who else can read a key of the user's own; others' keys are others' business."""
    status = file.stat()
    if status.st_uid == os.getuid() and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"others can read it (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.pub")


def _public_of(file: Path) -> bytes:
    try:
        return _public(_data(file))
    except OSError:
        return b""


def _public(data: bytes) -> bytes:
    """Return the key of a public key line, in the form in which agents name it."""
    words = data.split(None, 2)
    if len(words) < 2 or data.startswith(b"-----"):  # noqa: PLR2004
        return b""
    try:
        found = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return b""
    return found if _type(found).encode() == words[0] else b""


def _type(public: bytes) -> str:
    return _string(public, 0)[0].decode("ascii", "replace")


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[at : at + 4], "big")
    return data[at + 4 : at + 4 + length], at + 4 + length


def _openssh(data: bytes) -> bytes:
    """Return the inside of OpenSSH's own form of private keys, empty for another form."""
    lines = data.splitlines()
    body = b"".join(line for line in lines if not line.startswith(b"-----"))
    try:
        raw = base64.b64decode(body)
    except (binascii.Error, ValueError):
        return b""
    return raw[len(_OPENSSH) :] if raw.startswith(_OPENSSH) else b""


def _inner_public(data: bytes) -> bytes:
    """Return the public half that OpenSSH's form holds in clear, whatever the passphrase."""
    raw = _openssh(data)
    if not raw:
        return b""
    at = 0
    for _ in ("cipher", "kdf", "its options"):
        _, at = _string(raw, at)
    return _string(raw, at + 4)[0]  # behind the number of keys


def _is_encrypted(data: bytes) -> bool:
    """Whether a key file says of itself that it takes a passphrase."""
    if b"ENCRYPTED" in data:
        return True
    raw = _openssh(data)
    return bool(raw) and _string(raw, 0)[0] != b"none"
