"""Reads whole commits through a store, level by level, and keeps what was read. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops.ledger.layout import Place, Stored
from gitops.ledger.objects import (
    Commit,
    Entry,
    GitObject,
    ObjectFormatError,
    parse_commit,
    parse_tree,
)
from gitops.ledger.store import Reader, Store


class Contents:
    """Objects of one store by name. `trim` drops those that are no longer in use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._objects: dict[str, bytes] = {}

    def load(self, oid: str) -> bytes:
        """Return one object, asking the store only if it is not kept yet."""
        if oid not in self._objects:
            with self._store.reader() as reader:
                self._fetch(reader, [oid])
        return self._objects[oid]

    def add(self, objects: Iterable[GitObject]) -> None:
        """Keep objects that were just made."""
        self._objects |= {o.oid: o.data for o in objects}

    def commit(self, oid: str) -> Commit:
        """Return a commit."""
        return parse_commit(self.load(oid))

    def file(self, commit: str, path: str) -> str | None:
        """Return the object at `path` in a commit, None where there is none."""
        oid = self.commit(commit).tree
        for name in path.split("/"):
            entry = parse_tree(self.load(oid)).get(name)
            if entry is None:
                return None
            oid = entry.oid
        return oid

    def read(self, reader: Reader, heads: Mapping[str, str]) -> dict[str, Stored]:
        """Return the files of each ref's commit. Objects of other commits are dropped."""
        places = {ref: Place(self._store.name, ref, oid) for ref, oid in heads.items()}
        self._fetch(reader, heads.values())
        roots = {ref: self._root(place) for ref, place in places.items()}
        files, trees = self._walk(reader, roots, places)
        self._fetch(reader, [oid for named in files.values() for oid in named.values()])
        used = {*heads.values(), *trees, *(o for named in files.values() for o in named.values())}
        stored = {
            ref: Stored(places[ref], {path: self._objects[oid] for path, oid in named.items()})
            for ref, named in files.items()
        }
        self._objects = {oid: data for oid, data in self._objects.items() if oid in used}
        return stored

    def _root(self, place: Place) -> str:
        try:
            return self.commit(place.commit).tree
        except ObjectFormatError as e:
            raise Stored(place).error("the commit", str(e)) from e

    def _walk(
        self, reader: Reader, roots: Mapping[str, str], places: Mapping[str, Place]
    ) -> tuple[dict[str, dict[str, str]], set[str]]:
        """Return each ref's files (path to object), and all trees met."""
        files: dict[str, dict[str, str]] = {ref: {} for ref in roots}
        trees: set[str] = set()
        level = [(ref, "", oid) for ref, oid in roots.items()]
        while level:
            self._fetch(reader, [oid for _, _, oid in level])
            below: list[tuple[str, str, str]] = []
            for ref, path, oid in level:
                trees.add(oid)
                for name, entry in self._entries(places[ref], path, oid).items():
                    if entry.directory:
                        below.append((ref, f"{path}{name}/", entry.oid))
                    else:
                        files[ref][path + name] = entry.oid
            level = below
        return files, trees

    def _entries(self, place: Place, path: str, oid: str) -> dict[str, Entry]:
        try:
            return parse_tree(self._objects[oid])
        except ObjectFormatError as e:
            raise Stored(place).error(path, str(e)) from e

    def _fetch(self, reader: Reader, oids: Iterable[str]) -> None:
        missing: Sequence[str] = list(dict.fromkeys(o for o in oids if o not in self._objects))
        if missing:
            self._objects |= zip(missing, reader.load(missing), strict=True)
