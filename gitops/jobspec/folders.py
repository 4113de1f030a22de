"""Folders of job files in a directory tree or in a commit: where expressions read files.

Nothing outside the repository is ever read, however a path or a link leads there.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops.jobspec.files import MAX_BYTES, MAX_LISTED, FileFault

_SKIPPED = frozenset({".git"})


def inside(folder: str, path: str) -> str:
    """Return a path below a folder as one within the repository; raises `FileFault` outside."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    parts = joined.split("/")
    if path.startswith(("/", "~")) or "\0" in path or parts[0] == ".." or ".git" in parts:
        raise FileFault(f"{path[:80]} does not lie in the repository; only its files are read")
    return joined


@dataclass(frozen=True, slots=True)
class TreeFolder:
    """A folder of the working tree; `top` is the repository's, without links in it."""

    top: Path
    folder: str

    @property
    def place(self) -> str:
        """The folder's absolute path."""
        return str(self.top / self.folder)

    def inside(self, path: str) -> str:
        """Return a path as one within the repository."""
        return inside(self.folder, path)

    def read(self, path: str) -> bytes | None:
        """Return the content; None if there is no such file."""
        real = self._real(self.inside(path), path)
        try:
            with real.open("rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise FileFault(f"{path} is no file")
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise FileFault(f"{path} cannot be read: {(e.strerror or '').lower()}") from None
        if len(data) > MAX_BYTES:
            raise FileFault(f"{path} is larger than {MAX_BYTES // 2**20} MiB")
        return data

    def _real(self, name: str, path: str) -> Path:
        try:
            real = (self.top / name).resolve()
        except (OSError, RuntimeError):
            raise FileFault(f"{path} leads in a circle") from None
        if not real.is_relative_to(self.top) or ".git" in real.relative_to(self.top).parts:
            raise FileFault(f"{path} is a link out of the repository; only its files are read")
        if real.exists() and not real.is_file() and not real.is_dir():
            raise FileFault(f"{path} is no file")
        return real

    def listed(self, path: str) -> Iterable[str]:
        """Yield the files of the folder `path` and all below; links are no files."""
        name = inside(self.folder, path)
        start = self._real(name, path)
        for count, found in enumerate(_walked(start)):
            if count == MAX_LISTED:
                raise FileFault(f"{path} holds more than {MAX_LISTED} files")
            below = found.relative_to(start).as_posix()
            yield posixpath.normpath(posixpath.join(path, below))


def _walked(start: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(start):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED)
        for name in sorted(names):
            found = Path(directory) / name
            if found.is_file() and not found.is_symlink():
                yield found


@dataclass(frozen=True, slots=True)
class CommitFolder:
    """A folder of a commit: `blobs` names its files, `content` reads one by its path."""

    blobs: Mapping[str, int]
    content: Callable[[str], bytes]
    folder: str
    place: str = ""

    def inside(self, path: str) -> str:
        """Return a path as one within the repository."""
        return inside(self.folder, path)

    def read(self, path: str) -> bytes | None:
        """Return the content; None if there is no such file."""
        name = self.inside(path)
        if name not in self.blobs:
            return None
        if self.blobs[name] > MAX_BYTES:
            raise FileFault(f"{path} is larger than {MAX_BYTES // 2**20} MiB")
        return self.content(name)

    def listed(self, path: str) -> Iterable[str]:
        """Yield the files of the folder `path` and all below."""
        start = inside(self.folder, path)
        prefix = "" if start == "." else f"{start}/"
        found = [b for b in sorted(self.blobs) if b.startswith(prefix)]
        if len(found) > MAX_LISTED:
            raise FileFault(f"{path} holds more than {MAX_LISTED} files")
        return [posixpath.normpath(posixpath.join(path, b[len(prefix) :])) for b in found]
