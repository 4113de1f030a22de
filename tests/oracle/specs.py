"""Job specs of a recording, through orch's own decoder: arguments and environment as recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec.folders import TreeFolder
from gitops.jobspec.given import given_values
from gitops.jobspec.load import LoadedSpec, load_all, parse_spec
from gitops.jobspec.places import Places, unknown_places
from gitops.jobspec.syntax import Source
from gitops.jobspec.variables import Variables
from planner.job import Job

_PREFIXES = ("NOMAD_VAR_", "ORCH_VAR_")


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
    flags: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    for name, value in _flags(_lines(folder / "args.txt")):
        if name == "var":
            key, _, given = value.partition("=")
            flags.append((key, given))
        elif name == "var-file":
            files.append((value, (folder / value).read_text(encoding="utf-8")))
    pairs = (line.partition("=") for line in _lines(folder / "env.txt"))
    environment = {key: value for key, _, value in pairs if key.startswith(_PREFIXES)}
    return Variables(flags=tuple(flags), files=tuple(files), environment=environment)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _flags(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Pair flags with their values: ``-var x=1`` and ``-var=x=1`` alike."""
    rest = iter(arguments)
    out: list[tuple[str, str]] = []
    for argument in rest:
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name in ("var", "var-file"):
            out.append((name, value if equals else next(rest, "")))
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
    values = given_values(given)
    place = TreeFolder(folder.resolve(), "")
    parsed = parse_spec(Source.of(name, text), given, values, place)
    unknown = values.errors or parsed.problems.errors() or values.values.keys() - parsed.declared
    data = None if unknown else parsed.data
    try:
        return Loaded(data, load_all({name: text}, given, lambda _: place)[0], ())
    except SpecErrors as e:
        return Loaded(data, None, e.diagnostics)
