"""How values lie in the trees of ledger commits: paths, canonical JSON, formats. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from gitops.ledger.errors import LedgerError
from gitops.ledger.journal import JournalEntry, RunInfo
from planner.codec import FormatError, from_json, to_json
from planner.node_record import NodeRecord
from planner.recorded import JobState

FORMAT = 1
STATE = "state"
RUNS = "runs/"
META = "meta.json"
RUN = "run.json"
_JOBS = "jobs/"
_NODES = "nodes/"
_ENTRIES = "entries/"
_SUFFIX = ".json"

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A decision at `index` whose parent stands at `parent`, not at the index before it."""

    index: int
    parent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMeta:
    """What a state commit says of itself. `nonce` keeps two racers' commits apart.

    Indexes count the commits, except for `jumps`: a repair or a rebuild goes on above whatever
    was seen before, so that no index is used twice.
    """

    cluster: str
    epoch: int = 1
    index: int = 0
    nonce: str = ""
    jumps: tuple[Jump, ...] = ()
    format: int = FORMAT

    def steps(self, index: int, start: int | None = None) -> int:
        """Return how many commits before `start` (None: this one) the decision `index` is.

        Negative where there is no such commit.
        """
        start = self.index if start is None else start
        crossed = [j for j in self.jumps if index < j.index <= start]
        if any(index > j.parent for j in crossed):
            return -1
        return start - index - sum(j.index - 1 - j.parent for j in crossed)

    def before(self, index: int) -> int:
        """Return the index of the decision before `index`."""
        return next((j.parent for j in self.jumps if j.index == index), index - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMeta:
    """What a journal's commit says of itself; `position` counts its commits."""

    position: int = 1
    entries: int = 0
    sealed_by: str = ""
    nonce: str = ""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Place:
    """Where stored data was read, for messages."""

    ledger: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The files of one commit by path, as bytes."""

    place: Place
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    def value(self, cls: type[T], path: str) -> T:
        """Return the value stored at `path`. Raises `LedgerError` naming the place."""
        if path not in self.files:
            raise self.error(path, "it is missing")
        return self.decoded(cls, path, self.files[path])

    def decoded(self, cls: type[T], path: str, raw: bytes) -> T:
        """Return the value that `raw`, stored at `path`, stands for."""
        try:
            data: Any = json.loads(raw)
            self._check_format(path, data)
            return from_json(cls, data)
        except (ValueError, FormatError, RecursionError) as e:
            raise self.error(path, str(e)) from e

    def error(self, path: str, reason: str) -> LedgerError:
        """Return the error for what is stored at `path`."""
        where = f"{self.place.ref} at {self.place.commit[:12]}: {path}"
        return LedgerError(
            f"the ledger {self.place.ledger} holds what orch can't read ({where}): {reason}",
            "look at it with 'git show COMMIT:PATH' in the ledger",
        )

    def _check_format(self, path: str, data: Any) -> None:  # noqa: ANN401 - parsed JSON
        number = data.get("Format", FORMAT) if isinstance(data, dict) else FORMAT  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        if isinstance(number, int) and number > FORMAT:
            raise LedgerError(
                f"the ledger {self.place.ledger} was written by a newer orch: {self.place.ref} has"
                f" format {number} ({path}), this one knows up to {FORMAT}",
                "upgrade orch on this machine",
            )


class StoredRecords(Mapping[str, V]):
    """A mapping that decodes a record when it is first asked for."""

    def __init__(self, raw: Mapping[str, bytes], decode: Callable[[str, bytes], V]) -> None:
        self._raw = raw
        self._decode = decode
        self._values: dict[str, V] = {}

    def __getitem__(self, key: str) -> V:
        if key not in self._values:
            self._values[key] = self._decode(key, self._raw[key])
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._raw
        yield from (k for k in self._values if k not in self._raw)

    def __len__(self) -> int:
        return len(self._raw.keys() | self._values.keys())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self)})"

    def updated(self, values: Mapping[str, V]) -> StoredRecords[V]:
        """Return the mapping with these values put in."""
        new = StoredRecords(self._raw, self._decode)
        new._values = {**self._values, **values}
        return new


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: sorted names, no blanks, one newline at the end."""
    text = json.dumps(to_json(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def job_path(key: str) -> str:
    """Return where a job's records lie; shards keep trees small when one job changes."""
    shard = hashlib.sha256(key.encode()).hexdigest()[:2]
    return f"{_JOBS}{shard}/{quote(key, safe='')}{_SUFFIX}"


def node_path(name: str) -> str:
    """Return where a node's record lies."""
    return f"{_NODES}{quote(name, safe='')}{_SUFFIX}"


def entry_path(seq: int) -> str:
    """Return where a journal's entry lies."""
    return f"{_ENTRIES}{seq:08d}{_SUFFIX}"


def jobs(stored: Stored) -> StoredRecords[JobState]:
    """Return the jobs of a state commit, by key."""

    def decode(key: str, raw: bytes) -> JobState:
        state = stored.decoded(JobState, job_path(key), raw)
        if state.key != key:
            raise stored.error(job_path(key), f"it is about job {state.key!r}")
        return state

    return StoredRecords(_named(stored, _JOBS), decode)


def nodes(stored: Stored) -> StoredRecords[NodeRecord]:
    """Return the nodes of a state commit, by host name."""
    return StoredRecords(
        _named(stored, _NODES),
        lambda name, raw: stored.decoded(NodeRecord, node_path(name), raw),
    )


def _named(stored: Stored, folder: str) -> dict[str, bytes]:
    return {
        unquote(path.rpartition("/")[2].removesuffix(_SUFFIX)): raw
        for path, raw in stored.files.items()
        if path.startswith(folder)
    }


def entries(stored: Stored) -> tuple[JournalEntry, ...]:
    """Return a journal's entries in order."""
    paths = sorted(p for p in stored.files if p.startswith(_ENTRIES))
    return tuple(stored.value(JournalEntry, path) for path in paths)


def run_info(stored: Stored) -> RunInfo:
    """Return who runs what."""
    return stored.value(RunInfo, RUN)


_RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


def run_ref(run_id: str) -> str:
    """Return the ref of a run's journal below the prefix."""
    if not _RUN_ID.fullmatch(run_id):
        raise LedgerError(f"{run_id!r} can't be a run id: letters, digits and - only")
    return RUNS + run_id
