"""Writes files of trusted host keys, as ssh would: a line is added, or another one gives way."""

from __future__ import annotations

import base64
import fcntl
import hmac
import os
import secrets
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from executors.known_hosts import Trust, hashes_to
from planner.errors import OrchError, reason

_MODE = 0o600
_SALT = 20


def entry(name: str, line: str, *, hashed: bool = False) -> str:
    """Return the line that trusts a key for a name, ``[address]:port`` or an alias."""
    return f"{_hash(name) if hashed else name} {line}"


def _hash(name: str) -> str:
    salt = secrets.token_bytes(_SALT)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def append(path: Path, lines: Iterable[str]) -> None:
    """Add lines in one write; a file that is not there is made, for its owner alone.

    Raises `OrchError` where it can't be written.
    """
    data = "".join(f"{line}\n" for line in lines).encode()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _held(path, os.O_APPEND | os.O_CREAT) as f:
            if f.seek(0, os.SEEK_END):
                f.seek(-1, os.SEEK_END)
                data = data if f.read(1) == b"\n" else b"\n" + data
            f.write(data)
            os.fsync(f.fileno())
    except OSError as e:
        raise _not_written(path, e) from e


def replace(path: Path, name: str, line: str, *, hashed: bool = False) -> None:
    """Trust a key for a name instead of those that the file has; the whole file is swapped.

    Lines of authorities, of revoked keys and of patterns stay. Raises `OrchError`.
    """
    target = path.resolve()
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    try:
        with _held(target) as old:
            lines = old.read().decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
            kept = [x for each in lines if (x := without(each, name)) is not None]
            kept.append(entry(name, line, hashed=hashed))
            made = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
            with os.fdopen(made, "wb") as f:
                f.writelines(f"{x}\n".encode("utf-8", "surrogateescape") for x in kept)
                f.flush()
                os.fchmod(made, stat.S_IMODE(os.fstat(old.fileno()).st_mode))
                os.fsync(made)
            new.replace(target)
    except OSError as e:
        new.unlink(missing_ok=True)
        raise _not_written(path, e) from e


@contextmanager
def _held(path: Path, flags: int = 0) -> Generator[BinaryIO]:
    """Open a file to read and write, and keep others of orch from writing it meanwhile."""
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | flags, _MODE), "rb+", 0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # while this one waited, another may have put a new file in its place
            if _is_at(path, file):
                yield file
                return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def without(line: str, name: str) -> str | None:
    """Return a line of a file without a name; None where nobody is left in it."""
    words = line.split(None, 1)
    if not words or line.startswith(("#", *(t for t in Trust if t))) or len(words) == 1:
        return line
    if hashes_to(words[0], name):
        return None
    names = words[0].split(",")
    if any(c in words[0] for c in "*?!"):
        return line
    left = [n for n in names if n.lower() != name.lower()]
    if len(left) == len(names):
        return line
    return f"{','.join(left)} {words[1]}" if left else None


def _not_written(path: Path, error: OSError) -> OrchError:
    return OrchError(
        f"{path}: {reason(error)}",
        "Name a file that you can write: [ssh] known_hosts in orch.toml.",
    )
