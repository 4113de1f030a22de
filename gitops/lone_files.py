"""Job files by themselves, in any folder, where there is no `orch.toml`."""

from __future__ import annotations

import os
from pathlib import Path

from gitops.config import Config
from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec.files import Folder
from gitops.jobspec.folders import TreeFolder
from gitops.jobspec.load import load_all
from gitops.jobspec.spec import LoadedSpec
from gitops.jobspec.variables import Variables
from gitops.request import SpecRequest
from gitops.specs import variables_of
from gitops.workspace import Workspace
from planner.errors import reason


def lone_specs(request: SpecRequest) -> tuple[LoadedSpec, ...]:
    """Return the jobs of the files that are named; what they read lies in their own folders.

    Raises `SpecErrors` with every problem of every file.
    """
    files: dict[str, str] = {}
    unreadable: list[Diagnostic] = []
    for name in request.files:
        try:
            files[name] = text_of(Path(name))
        except SpecErrors as e:
            unreadable += e.diagnostics
    try:
        specs = load_all(files, lone_variables(request), own_folder)
    except SpecErrors as e:
        raise SpecErrors([*unreadable, *e.diagnostics]) from e
    if unreadable:
        raise SpecErrors(unreadable)
    return specs


def lone_variables(request: SpecRequest) -> Variables:
    """Return what is given for variables, by flags, files and the environment."""
    here = Workspace(
        root=Path.cwd(), config=Config(cluster="none"), cwd=Path.cwd(), environment=os.environ
    )
    return variables_of(here, request)


def own_folder(path: str) -> Folder:
    """Return the folder in which a spec may read files: the one it lies in."""
    return TreeFolder(Path(path).resolve().parent, "")


def text_of(path: Path) -> str:
    """Return what a file says. Raises `SpecErrors` where it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise SpecErrors([Diagnostic(str(path), 0, 0, reason(e))]) from e
