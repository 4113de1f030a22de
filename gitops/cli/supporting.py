"""What `orch validate -report` reads: job files of any folder, each by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec.load import load
from gitops.jobspec.spec import LoadedSpec
from gitops.jobspec.used import used_blocks, used_drivers
from gitops.lone_files import lone_variables, own_folder, text_of
from gitops.repo import SUFFIXES
from gitops.request import SpecRequest
from gitops.view.support import HONOURED, NOT, PART, Status, Support, Use
from planner.errors import OrchError

_RUN = ("docker", "raw_exec")


def report(paths: Sequence[str], request: SpecRequest) -> Support:
    """Read all job files of `paths`; those of the current folder where there are none.

    A file that is wrong is counted, and the others are read all the same. Raises `OrchError` for
    a path that is not there.
    """
    # A value that one file does not declare is for another.
    variables = replace(lone_variables(request), strict=False)
    uses: dict[tuple[Status, str], Use] = {}
    broken: dict[str, Sequence[Diagnostic]] = {}
    count = 0
    for path in _files(paths or (".",)):
        try:
            spec = load(text_of(path), path=str(path), variables=variables, folder_of=own_folder)
        except SpecErrors as e:
            broken[str(path)] = e.diagnostics
            continue
        count += 1
        _count(spec, uses)
    return Support(count, uses, broken)


def _count(spec: LoadedSpec, uses: dict[tuple[Status, str], Use]) -> None:
    limits = {limit.name: limit for limit in spec.limits}
    found = [Use(n, PART if limit.part else NOT, limit.part) for n, limit in limits.items()]
    closed = {n.rpartition(".")[2] for n, limit in limits.items() if not limit.part}
    found += [Use(b, HONOURED) for b in used_blocks(spec.job, closed) if b not in limits]
    found += [
        Use(f"driver {d}", HONOURED if d in _RUN else NOT) for d in used_drivers(spec.job) if d
    ]
    for use in found:
        uses.setdefault((use.status, use.name), use).files.append(spec.path)


def _files(paths: Sequence[str]) -> Iterator[Path]:
    seen: set[Path] = set()
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise OrchError(f"{name}: no such file or folder", "Name one that exists.")
        for file in sorted(_below(path)) if path.is_dir() else (path,):
            if file not in seen:
                seen.add(file)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        yield from (Path(top) / n for n in names if n.endswith(SUFFIXES))
