"""Journals of runs as refs: opening, appending, beating, sealing, removing. One writer each."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace

from gitops.ledger import layout
from gitops.ledger.errors import LedgerError, SealedError, refused
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.layout import RunMeta
from gitops.ledger.objects import (
    Commit,
    Entry,
    GitObject,
    Signature,
    changed_tree,
    parse_commit,
    parse_tree,
    tree,
)
from gitops.ledger.protocol import RunHead
from gitops.ledger.store import Beside, Store, Swap
from gitops.ledger.surroundings import Surroundings
from planner.errors import ConflictError


@dataclass(frozen=True, slots=True)
class Position:
    """A journal's newest commit and what the next one needs of it."""

    head: str
    meta: RunMeta
    root: GitObject
    folders: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Pending:
    """A commit that is not known to have arrived."""

    run_id: str
    old: str
    position: Position
    objects: list[GitObject]


class Journals:
    """The journals of one ledger."""

    def __init__(self, store: Store, surroundings: Surroundings) -> None:
        self._store = store
        self._around = surroundings

    def lock(self) -> AbstractContextManager[object]:
        """Return what lets one thread at a time write a journal."""
        return self._around.lock()

    def open(self, info: RunInfo) -> RefRun:
        """Create a journal; its id must be new."""
        meta = RunMeta(nonce=self._around.nonce())
        files = {layout.RUN: layout.canonical(info), layout.META: layout.canonical(meta)}
        objects = changed_tree("", files, lambda _: b"")
        commit = self._commit(objects[-1].oid, "", "open")
        swap = self._publish(info.id, "", [*objects, commit])
        if not swap.done:
            if layout.run_ref(info.id) not in self._store.heads():
                raise refused(self._store.name, swap.reason)
            raise ConflictError(f"run {info.id} exists already ({swap.reason})", "try again")
        root = objects[-1]
        return RefRun(self, info, Position(commit.oid, meta, root, {}))

    def extended(self, info: RunInfo, position: Position, entry: JournalEntry | None) -> Pending:
        """Return the next commit, with `entry` (None: a beat); nothing is sent yet."""
        meta = replace(
            position.meta,
            position=position.meta.position + 1,
            entries=entry.seq if entry else position.meta.entries,
            nonce=self._around.nonce(),
        )
        files = {layout.META: layout.canonical(meta)}
        if entry is not None:
            files[layout.entry_path(entry.seq)] = layout.canonical(entry)
        known = {position.root.oid: position.root.data, **position.folders}
        objects = changed_tree(position.root.oid, files, known.__getitem__)
        folders = {o.oid: o.data for o in objects[:-1] if o.kind == "tree"} or position.folders
        commit = self._commit(objects[-1].oid, position.head, entry.kind if entry else "beat")
        after = Position(commit.oid, meta, objects[-1], folders)
        return Pending(info.id, position.head, after, [*objects, commit])

    def send(self, pending: Pending, beside: Beside | None = None) -> Swap:
        """Publish a commit, again and again if need be; not done where the journal has moved.

        Raises `LedgerError` where the place refuses it though the journal has not moved.
        """
        swap = self._publish(pending.run_id, pending.old, pending.objects, beside)
        if swap.done:
            return swap
        if self._store.heads().get(layout.run_ref(pending.run_id), "") == pending.old:
            raise refused(self._store.name, swap.reason)
        return swap

    def seal(self, run: RunHead, by: str) -> RunHead:
        """Append the last commit there will be."""
        with self._store.reader() as reader:
            root = parse_commit(reader.load([run.head])[0]).tree
            entries = parse_tree(reader.load([root])[0])
        meta = RunMeta(
            position=run.position + 1,
            entries=len(run.entries),
            sealed_by=by,
            nonce=self._around.nonce(),
        )
        blob = GitObject("blob", layout.canonical(meta))
        sealed = tree({**entries, layout.META: Entry(blob.oid)})
        commit = self._commit(sealed.oid, run.head, f"sealed by run {by}")
        if not self._publish(run.id, run.head, [blob, sealed, commit]).done:
            raise ConflictError(
                f"run {run.id} of {run.info.holder} goes on: its journal has moved",
                "wait for it to end, then plan again",
            )
        return replace(run, head=commit.oid, position=meta.position, sealed_by=by)

    def drop(self, run: RunHead) -> None:
        """Remove the journal if it is still as it was read; one that is left harms nothing."""
        with suppress(LedgerError):
            self._store.swap(layout.run_ref(run.id), run.head, "")

    def remove(self, info: RunInfo, position: Position) -> None:
        """Remove the journal of a run that has ended."""
        swap = self._store.swap(layout.run_ref(info.id), position.head, "")
        if swap.done:
            return
        head = self._store.heads().get(layout.run_ref(info.id), "")
        if head == position.head:
            raise refused(self._store.name, f"run {info.id} can't be removed: {swap.reason}")
        if head:
            raise sealed(info)

    def _publish(
        self, run_id: str, old: str, objects: list[GitObject], beside: Beside | None = None
    ) -> Swap:
        self._store.save(objects)
        return self._store.swap(layout.run_ref(run_id), old, objects[-1].oid, beside)

    def _commit(self, root: str, parent: str, message: str) -> GitObject:
        around = self._around
        who = Signature(around.user, around.who, int(around.clock()))
        return Commit(root, parent, who, message).encoded()


class RefRun:
    """A `Run`: the writer's end of a journal."""

    def __init__(self, journals: Journals, info: RunInfo, position: Position) -> None:
        self._journals = journals
        self._info = info
        self._position: Position | None = position
        self._pending: Pending | None = None
        self._lock = journals.lock()

    @property
    def info(self) -> RunInfo:
        """Who runs what."""
        return self._info

    def append(self, entry: JournalEntry) -> JournalEntry:
        """Store the entry durably."""
        with self._lock:
            position = self._settled()
            entry = replace(entry, seq=position.meta.entries + 1)
            self._move(position, entry)
        return entry

    def beat(self, state: str = "") -> bool:
        """Show that the run is alive; return whether the state has left that commit."""
        with self._lock:
            position = self._settled()
            self._pending = self._journals.extended(self._info, position, None)
            return self._sent(Beside(layout.STATE, state) if state else None)

    def close(self) -> None:
        """Remove the journal."""
        with self._lock:
            position = self._settled()
            self._journals.remove(self._info, position)
            self._position = None

    def _move(self, position: Position, entry: JournalEntry | None) -> None:
        self._pending = self._journals.extended(self._info, position, entry)
        self._settled()

    def _settled(self) -> Position:
        """Return the journal's place, after sending what is not known to have arrived."""
        if self._position is None:
            raise sealed(self._info)
        if self._pending is not None:
            self._sent()
        return self._position

    def _sent(self, beside: Beside | None = None) -> bool:
        """Send what is pending; return whether there is news of what is beside it."""
        if self._pending is None:
            return False
        swap = self._journals.send(self._pending, beside)
        self._position = self._pending.position if swap.done else None
        self._pending = None
        if self._position is None:
            raise sealed(self._info)
        return swap.news


def sealed(info: RunInfo) -> SealedError:
    """Return the error for a writer whose journal is no longer its own."""
    return SealedError(
        f"run {info.id} was taken over by another one, or has ended: its journal is closed",
        "this run stops here; plan again to see what is left to do",
    )
