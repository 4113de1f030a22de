"""What went wrong with a ledger's past, and the decisions that settle it: restore, accept, rebuild.

Each is one swap of the state; none touches a host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from gitops.ledger import layout
from gitops.ledger.contents import Contents
from gitops.ledger.errors import LedgerError, LostObjectsError, refused
from gitops.ledger.layout import Jump, Place, StateMeta, Stored
from gitops.ledger.objects import (
    Commit,
    GitObject,
    ObjectFormatError,
    Signature,
    changed_tree,
    parse_commit,
)
from gitops.ledger.seen import Seen, SeenHeads
from gitops.ledger.store import Reader, Store
from gitops.ledger.surroundings import Surroundings
from planner.errors import ConflictError
from planner.node_record import NodeRecord
from planner.recorded import JobState

# More lost decisions than these are only counted.
SHOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One commit of the state that is no longer there; `time` in s since the epoch."""

    commit: str
    index: int
    time: int
    who: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The ledger as it is beside what was seen of it here.

    `meta` is None where the state is missing or can't be read; `lost` are decisions that were
    seen and are gone, newest first, as far as their objects are still here. `went_back`: all of
    what is there is in the past of what was seen, so that the lost ones can be put back.
    """

    head: str
    meta: StateMeta | None
    seen: Seen | None
    lost: tuple[Decision, ...] = ()
    went_back: bool = False
    problem: str = ""

    @property
    def rewound(self) -> bool:
        """Whether decisions that were seen are no longer there."""
        return bool(self.lost) or self.problem == _REWOUND

    @property
    def restorable(self) -> bool:
        """Whether the lost decisions can be put back as they were."""
        return self.went_back and bool(self.lost)


_REWOUND = "decisions that were seen here are gone, and their objects too"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What the hosts know: records by job and by host, for a decision at a given index.

    `epoch` and `index` are the newest that any host has seen.
    """

    jobs: Callable[[int], Mapping[str, JobState]]
    nodes: Mapping[str, NodeRecord]
    epoch: int = 0
    index: int = 0


# The jobs that are recorded, and the index of the decision, to the jobs to record anew.
Completion = Callable[[Mapping[str, JobState], int], Mapping[str, JobState]]


def _as_it_is(_: Mapping[str, JobState], __: int) -> Mapping[str, JobState]:
    return {}


class Repair:
    """Repairs of one ledger."""

    def __init__(
        self, store: Store, cluster: str, seen: SeenHeads, surroundings: Surroundings
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._seen = seen
        self._around = surroundings

    def look(self) -> Finding:
        """Compare the ledger with what was seen of it. Raises `UnreachableError`."""
        seen = self._seen.last()
        head = self._store.heads().get(layout.STATE, "")
        try:
            meta = self._meta(head)
        except (LedgerError, ObjectFormatError) as e:
            return Finding(head=head, meta=None, seen=seen, problem=f"it can't be read: {e}")
        found = Finding(head=head, meta=meta, seen=seen)
        if seen is None or seen.head == head or (meta and meta.epoch > seen.epoch):
            return found
        if self._still_there(head, meta, seen):
            return found
        return self._lost(found, seen)

    def restore(self, found: Finding) -> None:
        """Put the lost decisions back. Raises `ConflictError` where the ledger has moved."""
        if found.seen is None or not found.restorable:
            raise LedgerError("there is nothing that could be put back", "see 'orch ledger repair'")
        self._swap(found.head, found.seen.head)

    def accept(self, found: Finding, complete: Completion = _as_it_is) -> int:
        """Decide that what the ledger holds is right; return the new index.

        The epoch rises, so that hosts which have seen the lost decisions listen again. `complete`
        may add what the lost decisions have left on hosts.
        """
        if found.meta is None:
            raise LedgerError("there is nothing to accept", "see 'orch ledger rebuild'")
        seen = found.seen or Seen(head="", index=0)
        meta = self._next(found, max(found.meta.epoch, seen.epoch), seen.index)
        contents = Contents(self._store)
        root = contents.commit(found.head).tree
        files = {layout.META: layout.canonical(meta)}
        with self._store.reader() as reader:
            stored = contents.read(reader, {layout.STATE: found.head})[layout.STATE]
        files |= _job_files(complete(layout.jobs(stored), meta.index))
        objects = changed_tree(root, files, contents.load)
        self._decide(found, meta, objects, f"Repair: go on from index {found.meta.index}")
        return meta.index

    def rebuild(self, found: Finding, known: Rebuilt) -> int:
        """Replace the whole state by what the hosts know; return the new index."""
        seen = found.seen or Seen(head="", index=0)
        epochs = (known.epoch, seen.epoch, found.meta.epoch if found.meta else 0)
        meta = self._next(found, max(epochs), max(known.index, seen.index))
        files = {layout.META: layout.canonical(meta)}
        files |= {
            layout.job_path(k): layout.canonical(s) for k, s in known.jobs(meta.index).items()
        }
        files |= {layout.node_path(n): layout.canonical(r) for n, r in known.nodes.items()}
        objects = changed_tree("", files, lambda _: b"")
        self._decide(found, meta, objects, "Rebuild from the records of the hosts")
        self._drop_runs()
        return meta.index

    def _meta(self, head: str) -> StateMeta | None:
        if not head:
            return None
        contents = Contents(self._store)
        oid = contents.file(head, layout.META)
        stored = Stored(Place(self._store.name, layout.STATE, head))
        if oid is None:
            raise stored.error(layout.META, "it is missing")
        meta = stored.decoded(StateMeta, layout.META, contents.load(oid))
        if meta.cluster != self._cluster:
            raise stored.error(layout.META, f"it belongs to cluster {meta.cluster!r}")
        return meta

    def _still_there(self, head: str, meta: StateMeta | None, seen: Seen) -> bool:
        if meta is None:
            return False
        with self._store.reader() as reader:
            if _at(reader, head, meta.steps(seen.index)) == seen.head:
                return True
        if not self._store.deepen():
            return False
        with self._store.reader() as reader:
            return _at(reader, head, meta.steps(seen.index)) == seen.head

    def _lost(self, found: Finding, seen: Seen) -> Finding:
        with self._store.reader() as reader:
            base = _common(reader, found, seen) if found.meta else 0
            try:
                lost = tuple(_decisions(reader, seen, base))
            except (LostObjectsError, ObjectFormatError):
                lost = ()
        index = found.meta.index if found.meta else 0
        if not lost:
            return replace(found, problem=_REWOUND)
        return replace(found, lost=lost, went_back=base == index)

    def _next(self, found: Finding, epoch: int, floor: int) -> StateMeta:
        index = found.meta.index if found.meta else 0
        new = max(index, floor) + 1
        jumps = found.meta.jumps if found.meta else ()
        if found.head and new != index + 1:
            jumps = (*jumps, Jump(index=new, parent=index))
        return StateMeta(
            cluster=self._cluster,
            epoch=epoch + 1,
            index=new,
            nonce=self._around.nonce(),
            jumps=jumps,
        )

    def _decide(
        self, found: Finding, meta: StateMeta, objects: list[GitObject], message: str
    ) -> None:
        around = self._around
        who = Signature(around.user, around.who, int(around.clock()))
        commit = Commit(objects[-1].oid, found.head, who, f"{message} (epoch {meta.epoch})")
        objects.append(commit.encoded())
        self._store.save(objects)
        self._swap(found.head, objects[-1].oid)
        self._seen.advance(Seen(head=objects[-1].oid, index=meta.index, epoch=meta.epoch))

    def _swap(self, old: str, new: str) -> None:
        swap = self._store.swap(layout.STATE, old, new)
        if swap.done:
            return
        if self._store.heads().get(layout.STATE, "") == old:
            raise refused(self._store.name, swap.reason)
        raise ConflictError("the ledger has moved meanwhile; nothing was changed", "look again")

    def _drop_runs(self) -> None:
        """Journals are of jobs whose records are new now; one that is left harms nothing."""
        for ref, oid in self._store.heads().items():
            if ref.startswith(layout.RUNS):
                with suppress(LedgerError):
                    self._store.swap(ref, oid, "")


def _job_files(jobs: Mapping[str, JobState]) -> dict[str, bytes]:
    return {layout.job_path(key): layout.canonical(state) for key, state in jobs.items()}


def _at(reader: Reader, head: str, steps: int) -> str:
    if steps < 0:
        return ""
    return head if steps == 0 else reader.ancestor(head, steps)


def _common(reader: Reader, found: Finding, seen: Seen) -> int:
    """Return the newest index that both lines share, 0 where they share none."""
    meta = found.meta
    if meta is None:
        return 0
    low, high = 0, min(meta.index, seen.index)
    while low < high:
        middle = (low + high + 1) // 2
        mine = _at(reader, found.head, meta.steps(middle))
        same = mine and mine == _at(reader, seen.head, seen.index - middle)
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _decisions(reader: Reader, seen: Seen, base: int) -> list[Decision]:
    """Return what was decided after `base` on the line that was seen, newest first."""
    found: list[Decision] = []
    oid = seen.head
    for index in range(seen.index, max(base, seen.index - SHOWN), -1):
        commit = parse_commit(reader.load([oid])[0])
        found.append(
            Decision(
                commit=oid,
                index=index,
                time=commit.who.time,
                who=commit.who.email,
                message=commit.message,
            )
        )
        oid = commit.parent
        if not oid:
            break
    return found
