"""Reads objects of a repository through one `git cat-file --batch`. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import IO

from gitops.git import Git
from gitops.ledger.errors import LedgerError, LostObjectsError

OBJECT_LIMIT = 64 * 1024 * 1024
# Requests that fit into a pipe at once: more could block both sides.
_AT_ONCE = 500
_HEAD_WORDS = 3


@contextmanager
def reading(git: Git, name: str) -> Generator[CatFile, None, None]:
    """Open a reader on the repository; the process starts with the first request."""
    reader = CatFile(git, name)
    try:
        yield reader
    finally:
        reader.close()


class CatFile:
    """A `Reader` over one process."""

    def __init__(self, git: Git, name: str) -> None:
        self._git = git
        self._name = name
        self._pipes: tuple[IO[bytes], IO[bytes]] | None = None
        self._close: Callable[..., object] | None = None

    def load(self, oids: Sequence[str]) -> list[bytes]:
        """Return the contents in order."""
        out: list[bytes] = []
        for start in range(0, len(oids), _AT_ONCE):
            some = oids[start : start + _AT_ONCE]
            for oid, (_, content) in zip(some, self._ask(some), strict=True):
                if content is None:
                    raise LostObjectsError(
                        f"object {oid} is missing in the ledger {self._name}",
                        "run `git fsck` in the ledger",
                    )
                out.append(content)
        return out

    def ancestor(self, commit: str, steps: int) -> str:
        """Return the commit `steps` parents back."""
        return next(iter(self._ask([f"{commit}~{steps}"])))[0]

    def find(self, names: Sequence[str]) -> list[tuple[str, bytes | None]]:
        """Return (object, content) for each name in Git's notation; ("", None) if missing."""
        return [
            answer
            for start in range(0, len(names), _AT_ONCE)
            for answer in self._ask(names[start : start + _AT_ONCE])
        ]

    def close(self) -> None:
        """End the process."""
        if self._close is not None:
            self._close(None, None, None)
        self._pipes = self._close = None

    def _ask(self, names: Sequence[str]) -> list[tuple[str, bytes | None]]:
        requests, answers = self._open()
        try:
            requests.write("".join(f"{name}\n" for name in names).encode())
            requests.flush()
            return [self._answer(answers) for _ in names]
        except OSError as e:
            raise self._broken() from e

    def _open(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._pipes is None:
            conversation = self._git.conversation("cat-file", "--batch")
            self._close = conversation.__exit__
            self._pipes = conversation.__enter__()
        return self._pipes

    def _answer(self, answers: IO[bytes]) -> tuple[str, bytes | None]:
        head = answers.readline().split()
        if len(head) >= 2 and head[-1] in (b"missing", b"ambiguous"):  # noqa: PLR2004
            return "", None
        if len(head) != _HEAD_WORDS or not head[2].isdigit():
            raise self._broken()
        size = int(head[2])
        if size > OBJECT_LIMIT:
            raise LedgerError(f"an object of {size} bytes in {self._name} is too big to read")
        content = answers.read(size + 1)
        if len(content) != size + 1:
            raise self._broken()
        return head[0].decode(), content[:-1]

    def _broken(self) -> LostObjectsError:
        return LostObjectsError(
            f"git could not read objects of {self._name}",
            "check that it is a Git repository you may read; `git fsck` in it tells more",
        )
