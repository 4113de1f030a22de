"""Job specs of a recording, through orch's own decoder: arguments and environment as recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec.folders import TreeFolder
from gitops.jobspec.load import LoadedSpec, load, parsed
from gitops.jobspec.places import Places, unknown_places
from gitops.jobspec.variables import ENVIRONMENT_PREFIXES, Variables
from planner.job import Job


@dataclass(frozen=True, slots=True)
class Loaded:
    """One spec: the parsed data (None where parsing failed), the job, and all errors."""

    data: Mapping[str, Any] | None
    spec: LoadedSpec | None
    errors: tuple[Diagnostic, ...]

    @property
    def job(self) -> Job:
        """The canonical job; raises `ValueError` with what is wrong where there is none."""
        if self.spec is None:
            raise ValueError("\n".join(e.text() for e in self.errors) or "no job")
        return self.spec.job


def variables(folder: Path) -> Variables:
    """Read ``args.txt`` and ``env.txt``: one argument, or NAME=value, a line."""
    arguments = _flags(_lines(folder / "args.txt"))
    pairs = (value.partition("=") for name, value in arguments if name == "var")
    files = (value for name, value in arguments if name == "var-file")
    settings = (line.partition("=") for line in _lines(folder / "env.txt"))
    return Variables(
        flags=tuple((key, value) for key, _, value in pairs),
        files=tuple((name, (folder / name).read_text(encoding="utf-8")) for name in files),
        environment={k: v for k, _, v in settings if k.startswith(ENVIRONMENT_PREFIXES)},
        strict=("hcl2-strict", "false") not in arguments,
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _flags(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Pair flags with their values: ``-var x=1`` and ``-var=x=1`` alike."""
    rest = iter(arguments)
    out: list[tuple[str, str]] = []
    for argument in rest:
        name, equals, value = argument.lstrip("-").partition("=")
        takes_next = name in ("var", "var-file") and not equals
        out.append((name, next(rest, "") if takes_next else value))
    return out


def loaded(
    folder: Path, name: str, given: Variables | None = None, places: Places | None = None
) -> Loaded:
    """Load one file of a folder; with `places`, a job elsewhere is an error."""
    text = (folder / name).read_text(encoding="utf-8")
    found = loaded_text(text, name, given or Variables(), folder)
    if found.spec is None or places is None:
        return found
    wrong = tuple(unknown_places([found.spec], places))
    return Loaded(found.data, None, wrong) if wrong else found


def loaded_text(text: str, name: str, given: Variables, folder: Path) -> Loaded:
    """Load a spec that is no file; its expressions read those of a folder."""
    place = TreeFolder(folder.resolve(), "")
    try:
        data = parsed(text, path=name, variables=given, folder_of=lambda _: place)
    except SpecErrors as e:
        return Loaded(None, None, e.diagnostics)
    try:
        return Loaded(data, load(text, path=name, variables=given, folder_of=lambda _: place), ())
    except SpecErrors as e:
        return Loaded(data, None, e.diagnostics)
