"""Files that the expressions of job specs read: of the working tree, or of the commit asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from gitops.jobspec.files import (
    LISTING,
    FileFault,
    Folder,
    digest_of,
    digest_of_names,
    listed_folder,
    matching,
)
from gitops.jobspec.folders import CommitFolder, TreeFolder
from gitops.jobspec.spec import FileRead
from gitops.repo import Repository
from planner.source import Source


@dataclass(frozen=True)
class SpecFiles:
    """Where specs read files. `named` says which path a spec named on the command line has.

    `commit` is empty for the working tree.
    """

    top: Path
    commit: str = ""
    named: Mapping[str, str] = field(default_factory=dict[str, str])

    def folder_of(self, path: str) -> Folder:
        """Return the folder of a spec, by the path that it is shown with."""
        return self._folder(self.named.get(path, path).rpartition("/")[0])

    def digest_of(self, path: str) -> str | None:
        """Return what stands for a file, or for a listing; None where neither can be read."""
        folder = self._folder("")
        try:
            if path.startswith(LISTING):
                return digest_of_names(matching(folder, path.removeprefix(LISTING)))
            return digest_of(folder.read(path))
        except FileFault:
            return None

    def source(self, source: Source, reads: Iterable[FileRead]) -> Source:
        """Return the source of the specs with all that their expressions have read in it."""
        found = sorted({(r.path, r.digest) for r in reads})
        if not found:
            return source
        total = hashlib.sha256(source.digest.encode())
        for path, digest in found:
            total.update(f"{path}\0{digest}\0".encode("utf-8", "surrogateescape"))
        dirty = source.dirty or (not self.commit and self._is_dirty(p for p, _ in found))
        return replace(source, digest=total.hexdigest(), dirty=dirty)

    def _is_dirty(self, paths: Iterable[str]) -> bool:
        """Whether HEAD has anything of it otherwise: a file, or a name in a listing."""
        files: set[str] = set()
        folders: set[str] = set()
        for path in paths:
            pattern = path.removeprefix(LISTING)
            if pattern == path:
                files.add(path)
            else:
                files |= set(matching(self._folder(""), pattern))
                folders.add(listed_folder(pattern))
        look = self._repository.is_dirty
        changed = bool(files) and look(sorted(files), ignored=True)
        return changed or (bool(folders) and look(sorted(folders)))

    def _folder(self, folder: str) -> Folder:
        if not self.commit:
            return TreeFolder(self._top, folder)
        return CommitFolder(self._sizes, self._content, folder, str(self._top / folder))

    @cached_property
    def _top(self) -> Path:
        return self.top.resolve()

    @cached_property
    def _repository(self) -> Repository:
        return Repository.find(self.top)

    @cached_property
    def _blobs(self) -> Mapping[str, tuple[str, int]]:
        return self._repository.blobs_at(self.commit)

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        return {name: size for name, (_, size) in self._blobs.items()}

    def _content(self, path: str) -> bytes:
        return self._repository.blob(path, self._blobs[path][0])
