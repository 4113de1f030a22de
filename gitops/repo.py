"""Reads the desired state from a Git repository: files, commit, cleanliness. Changes nothing.

Not even the index is refreshed: `plan` leaves the user's clone byte for byte as it was.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from gitops.git import Git, GitError, gist, redacted
from planner.errors import OrchError
from planner.source import Source

SUFFIXES = (".nomad.hcl", ".nomad", ".nomad.json")
FILE_LIMIT = 4 * 1024 * 1024
FILES_LIMIT = 20_000
_TREE_FIELDS = 4
_ANSWERS = 3
_LINK = "120000"
_COMMIT = "160000"


class RepositoryError(OrchError):
    """The repository, or a file in it, can't be read as desired state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One job spec. `path` is relative to the repository's top, `blob` its name as Git object."""

    path: str
    text: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What was read. `top` is the repository's top directory, `origin` its URL or empty."""

    source: Source
    files: Mapping[str, SourceFile]
    top: Path
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to read: folders of job specs, and other files that count as part of the source.

    Paths are absolute, or relative to `root` (the directory of orch.toml). `rev` empty means
    the working tree; `repository` empty means the name that the repository goes by itself.
    """

    root: Path
    jobs: Sequence[str] = ("jobs",)
    others: Sequence[str] = ("orch.toml", "inventory.yml")
    rev: str = ""
    repository: str = ""


def read_source(wanted: Wanted) -> Desired:
    """Return the job specs below `wanted.jobs` and where they come from.

    Raises `RepositoryError` for what is no repository with a commit, a bad revision, links that
    lead out of the repository, and files that are too big or not UTF-8.
    """
    repository = Repository.find(wanted.root)
    folders = repository.inside(wanted.root, wanted.jobs)
    if not folders:
        raise RepositoryError(
            f"no folder of job specs lies in the repository {repository.top}",
            "set `jobs` in orch.toml to folders of this repository",
        )
    others = repository.inside(wanted.root, wanted.others)
    if wanted.rev:
        commit = repository.resolved(wanted.rev)
        raw, dirty = repository.files_at(commit, folders), False
    else:
        commit = repository.head
        raw, dirty = repository.working_files(folders), repository.is_dirty([*folders, *others])
    name = wanted.repository or repository.identity
    source = Source(repository=name, commit=commit, dirty=dirty, digest=digest(raw))
    files = {path: _source_file(path, data) for path, data in raw.items()}
    return Desired(source=source, files=files, top=repository.top, origin=repository.origin)


def read_named(root: Path, paths: Iterable[Path]) -> Desired:
    """Return only these files of the repository that `root` lies in; paths elsewhere are left out.

    The source says nothing of them. Raises `RepositoryError` as `read_source` does.
    """
    repository = Repository.find(root)
    tree = _Tree(repository.top.resolve())
    names = repository.inside(root, map(str, paths))
    raw = {name: tree.read(name) for name in names}
    files = {name: _source_file(name, data) for name, data in raw.items() if data is not None}
    return Desired(source=Source(), files=files, top=repository.top)


def digest(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over paths and contents, in the order of paths."""
    total = hashlib.sha256()
    for path, data in sorted(files.items()):
        name = path.encode("utf-8", "surrogateescape")
        total.update(b"%d %d\n" % (len(name), len(data)) + name + data)
    return total.hexdigest()


def is_job_file(path: str) -> bool:
    """Whether a file is a job spec by its name."""
    return path.endswith(SUFFIXES)


def _source_file(path: str, data: bytes) -> SourceFile:
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        raise RepositoryError(
            f"{path}: not UTF-8 text (byte {e.start})", "save the file as UTF-8"
        ) from e
    head = b"blob %d\0" % len(data)
    blob = hashlib.sha1(head + data, usedforsecurity=False).hexdigest()
    return SourceFile(path=path, text=text, blob=blob)


@dataclass(frozen=True)
class Repository:
    """A user's clone, read only."""

    top: Path
    head: str
    shallow: bool

    @classmethod
    def find(cls, start: Path) -> Repository:
        """Return the repository that `start` lies in. Raises `RepositoryError`."""
        git = Git(directory=start)
        if not start.is_dir():
            raise RepositoryError(f"{start} is not a directory")
        asked = git.run("rev-parse", "--show-toplevel", "--is-shallow-repository", "HEAD^{commit}")
        lines = asked.stdout.decode("utf-8", "surrogateescape").splitlines()
        if len(lines) < _ANSWERS:
            raise _not_a_repository(start, asked.stderr)
        top, shallow, head = lines[:_ANSWERS]
        if asked.code != 0:
            raise RepositoryError(
                f"the repository {top} has no commit yet",
                "commit the job specs first: git add . && git commit",
            )
        return cls(Path(top), head, shallow == "true")

    @cached_property
    def _git(self) -> Git:
        return Git(directory=self.top)

    @cached_property
    def origin(self) -> str:
        """The URL of the remote `origin`; empty where there is none."""
        done = self._git.run("remote", "get-url", "origin")
        return done.stdout.decode("utf-8", "surrogateescape").strip() if done.code == 0 else ""

    @cached_property
    def identity(self) -> str:
        """What all clones of the repository share: the origin's address, else the first commit.

        Raises `RepositoryError` for a shallow clone without origin, which knows neither.
        """
        if self.origin:
            return normalised(self.origin)
        if self.shallow:
            raise RepositoryError(
                f"{self.top} is a shallow clone without a remote `origin`: what repository it is"
                " can't be told",
                "add the remote, or fetch the whole history: git fetch --unshallow",
            )
        roots = self._git.out("rev-list", "--max-parents=0", self.head).decode().split()
        return f"root:{min(roots)}"

    def resolved(self, rev: str) -> str:
        """Return the commit that a revision means. Raises `RepositoryError`."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        done = self._git.run(*asked)
        if done.code != 0:
            shallow = " (the clone is shallow: older commits are not in it)" if self.shallow else ""
            raise RepositoryError(
                f"{rev!r} is no commit of {self.top}{shallow}",
                "Name a commit, branch or tag that `git log` knows.",
            )
        return done.stdout.decode().strip()

    def inside(self, root: Path, names: Iterable[str]) -> list[str]:
        """Return the paths relative to the top, leaving out those that lie elsewhere."""
        top = self.top.resolve()
        paths = [Path(os.path.normpath(root.resolve() / name)) for name in names]
        return [p.relative_to(top).as_posix() for p in paths if p.is_relative_to(top)]

    def is_dirty(self, paths: Sequence[str], *, ignored: bool = False) -> bool:
        """Whether any of the paths differs from HEAD; files that Git doesn't know count.

        Files that Git is told to ignore count only if asked for.
        """
        command = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]
        command += ["--ignored=matching"] if ignored else []
        done = self._out(*command, "--ignore-submodules=all", "--", *_literal(paths))
        return bool(done)

    def working_files(self, folders: Sequence[str]) -> dict[str, bytes]:
        """Return the job specs of the working tree, without those that Git ignores."""
        command = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        names = _names(self._out(*command, "--", *_literal(folders)))
        tree = _Tree(self.top.resolve())
        found = {name: tree.read(name) for name in _job_files(names)}
        return {name: data for name, data in found.items() if data is not None}

    def files_at(self, commit: str, folders: Sequence[str]) -> dict[str, bytes]:
        """Return the job specs of a commit."""
        listed = self._out("ls-tree", "-r", "-z", "-l", commit, "--", *folders)
        entries = dict(_tree_line(line) for line in _names(listed))
        wanted = {name: entries[name] for name in _job_files(entries)}
        for name, (mode, _, size) in wanted.items():
            if mode in (_LINK, _COMMIT):
                raise _link(name)
            _check_size(name, size)
        return self._blobs({name: oid for name, (_, oid, _) in wanted.items()})

    def blobs_at(self, commit: str) -> dict[str, tuple[str, int]]:
        """Return all files of a commit that are no links: object name and size by path."""
        listed = _names(self._out("ls-tree", "-r", "-z", "-l", commit))
        entries = dict(_tree_line(line) for line in listed)
        plain = {n: e for n, e in entries.items() if e[0] not in (_LINK, _COMMIT)}
        return {name: (oid, size) for name, (_, oid, size) in plain.items()}

    def blob(self, name: str, oid: str) -> bytes:
        """Return the content of one file of a commit."""
        return self._blobs({name: oid})[name]

    def _blobs(self, oids: Mapping[str, str]) -> dict[str, bytes]:
        requests = "".join(f"{oid}\n" for oid in oids.values()).encode()
        answers = self._out("cat-file", "--batch", stdin=requests)
        out: dict[str, bytes] = {}
        at = 0
        for name in oids:
            end = answers.index(b"\n", at)
            words = answers[at:end].split()
            if words[-1] == b"missing":
                raise RepositoryError(f"{name} is not in this clone: it is a partial one")
            size = int(words[-1])
            out[name] = answers[end + 1 : end + 1 + size]
            at = end + size + 2
        return out

    def _out(self, *args: str, stdin: bytes = b"") -> bytes:
        try:
            return self._git.out(*args, stdin=stdin)
        except GitError as e:
            raise RepositoryError(e.message, "check the repository with `git fsck`") from e


def normalised(url: str) -> str:
    """Return one form for the usual spellings of an address: host/path, lower-case host."""
    plain = redacted(url)
    parts = urlsplit(plain)
    if parts.scheme == "file":
        host, path = "", parts.path
    elif parts.scheme:
        host, path = parts.hostname or "", parts.path
    else:
        host, colon, path = plain.rpartition("@")[2].partition(":")
        if not colon or "/" in host:
            host, path = "", plain
    path = path.rstrip("/").removesuffix(".git").rstrip("/")
    return f"{host.lower()}/{path.lstrip('/')}" if host else path


def _not_a_repository(start: Path, reason: str) -> RepositoryError:
    why = "" if "not a git repository" in reason else f" ({gist(reason) or 'no working tree'})"
    return RepositoryError(
        f"{start} is not in a Git repository{why}",
        "change to a clone of the repository with the job specs, or make one: git init",
    )


def _names(output: bytes) -> list[str]:
    return [name for name in output.decode("utf-8", "surrogateescape").split("\0") if name]


def _literal(paths: Iterable[str]) -> list[str]:
    return [f":(top,literal){path}" for path in paths]


def _job_files(names: Iterable[str]) -> list[str]:
    found = sorted(name for name in names if is_job_file(name))
    if len(found) > FILES_LIMIT:
        raise RepositoryError(f"more than {FILES_LIMIT} job specs in one repository")
    for name in found:
        if not name.isprintable():
            raise RepositoryError(f"{name!r}: a job spec's path has unprintable characters")
    return found


def _tree_line(line: str) -> tuple[str, tuple[str, str, int]]:
    meta, _, name = line.partition("\t")
    words = meta.split()
    if len(words) != _TREE_FIELDS:
        raise RepositoryError(f"git listed {line!r}, which is not understood")
    size = int(words[3]) if words[3].isdigit() else 0
    return name, (words[0], words[2], size)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The working tree; `folders` are those of which it is known that they lie in it."""

    top: Path
    folders: set[str] = field(default_factory=set[str])

    def read(self, name: str) -> bytes | None:
        """Return a working file; None where it was deleted. Links may not lead out of it."""
        folder = name.rpartition("/")[0]
        if folder not in self.folders:
            data = _read_inside(self.top, name)
            if (self.top / folder).resolve().is_relative_to(self.top):
                self.folders.add(folder)
            return data
        data = _read_plain(f"{self.top}/{name}")
        if data is None:
            return _read_inside(self.top, name)
        _check_size(name, len(data))
        return data


def _read_plain(path: str) -> bytes | None:
    """Return what a file holds that is no link; None for all else."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(number, "rb") as f:
        return f.read(FILE_LIMIT + 1) if stat.S_ISREG(os.fstat(number).st_mode) else None


def _read_inside(top: Path, name: str) -> bytes | None:
    """Return a working file, however it is reached."""
    path = top / PurePosixPath(name)
    try:
        if not path.resolve(strict=True).is_relative_to(top):
            raise _link(name)
        if not path.is_file():
            return None
        with path.open("rb") as f:
            data = f.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise _link(name) from None
        return None
    except (OSError, RuntimeError) as e:
        raise RepositoryError(f"{name}: can't be read: {e}") from e
    _check_size(name, len(data))
    return data


def _check_size(name: str, size: int) -> None:
    if size > FILE_LIMIT:
        raise RepositoryError(
            f"{name}: more than {FILE_LIMIT // 1024 // 1024} MiB", "a job spec is a small text file"
        )


def _link(name: str) -> RepositoryError:
    return RepositoryError(
        f"{name}: a link that leads out of the repository, or nowhere",
        "put the file itself into the repository",
    )
