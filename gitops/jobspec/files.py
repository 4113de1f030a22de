"""Files that expressions may read. What stands behind them is the caller's: a tree or a commit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

MAX_BYTES = 1024 * 1024
MAX_LISTED = 5_000


class FileFault(Exception):  # noqa: N818 - becomes a fault with a place
    """A file can't be read, or may not."""


class Folder(Protocol):
    """The folder of a job file. Paths are relative to it, with "/", and clean.

    Each method raises `FileFault` for a path that leads out of the repository.
    """

    @property
    def place(self) -> str:
        """The folder's absolute path, or empty."""
        ...

    def inside(self, path: str) -> str:
        """Return a path as one within the repository."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return the content; None if there is no such file.

        Raises `FileFault` for what is no file, or larger than `MAX_BYTES`.
        """
        ...

    def listed(self, path: str) -> Iterable[str]:
        """Yield the files of the folder `path` and all below, as paths like those that are given.

        Raises `FileFault` beyond `MAX_LISTED`.
        """
        ...


class NoFolder:
    """Where nothing can be read."""

    place = ""

    def inside(self, path: str) -> str:
        """Refuse."""
        raise FileFault("no files can be read here")

    def read(self, path: str) -> bytes | None:
        """Refuse."""
        raise FileFault("no files can be read here")

    def listed(self, path: str) -> Iterable[str]:
        """Refuse."""
        raise FileFault("no files can be read here")


FolderOf: TypeAlias = Callable[[str], Folder]
NO_FOLDER = NoFolder()


def no_folder(path: str) -> Folder:
    """Return the folder of a spec that has none."""
    return NO_FOLDER


def digest_of(content: bytes | None) -> str:
    """Return what stands for a file's content; empty if there is no such file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


# Stands before the pattern of a listing, in the place of a file's path.
LISTING = "glob:"


def matching(folder: Folder, pattern: str) -> list[str]:
    """Return the files that match a pattern, in order; raises `FileFault`."""
    wanted = glob(pattern)
    start = listed_folder(pattern)
    return sorted(p for p in folder.listed(start) if wanted.fullmatch(p))


def listed_folder(pattern: str) -> str:
    """Return the folder in which all files lie that can match a pattern."""
    fixed = pattern[: next((i for i, c in enumerate(pattern) if c in "*?[{\\"), len(pattern))]
    start, slash, _ = fixed.rpartition("/")
    return start or ("/" if slash else ".")


def digest_of_names(names: Iterable[str]) -> str:
    """Return what stands for a listing."""
    return digest_of("\0".join(names).encode("utf-8", "surrogateescape"))


_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?\]?[^\]/]*\]|\{|\}|,|\\.|.", re.DOTALL)


def glob(pattern: str) -> re.Pattern[str]:
    """Return the expression of a pattern: ``*``, ``?``, ``[a-z]``, ``{a,b}``, ``**`` for folders.

    Raises `FileFault` for a pattern that is not complete.
    """
    out: list[str] = []
    deep = 0
    for part in _GLOB.findall(pattern):
        deep += (part == "{") - (part == "}")
        if part == "[" or deep < 0:
            raise FileFault(f"{pattern[:40]!r} is no complete pattern")
        out.append(_piece(part, inside=deep > 0))
    if deep or len(pattern) > MAX_PATTERN or pattern.count("*") > MAX_STARS:
        raise FileFault(f"{pattern[:40]!r} is too long a pattern, or not complete")
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:
        raise FileFault(f"{pattern[:40]!r} is no valid pattern") from None


MAX_PATTERN = 200
MAX_STARS = 6  # the time of a match grows with their number
_FIXED = {
    "**/": "(?:[^/]+/)*",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
    "{": "(?:",
    "}": ")",
}


def _piece(part: str, *, inside: bool) -> str:
    if part in _FIXED:
        return _FIXED[part]
    if part == "," and inside:
        return "|"
    if part.startswith("[") and len(part) > 1:
        negated = part[1] in "!^"
        body = part[1 + negated : -1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{'^/' if negated else ''}{body}]"
    return re.escape(part[1:] if part.startswith("\\") and len(part) > 1 else part)
