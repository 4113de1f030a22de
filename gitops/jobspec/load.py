"""Job specs as text → canonical jobs, or all errors at once. Reads no files and has no effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops.diagnostics import Diagnostic, SpecErrors, did_you_mean
from gitops.jobspec.canonical import canonical
from gitops.jobspec.decode import Decoder, Path
from gitops.jobspec.files import NO_FOLDER, Folder, FolderOf, no_folder
from gitops.jobspec.given import GivenValues, given_values
from gitops.jobspec.hcl import parse_body
from gitops.jobspec.limits import located
from gitops.jobspec.names import Names, declared_names, fill
from gitops.jobspec.runtime_names import reference_fault
from gitops.jobspec.schema.job import JOB
from gitops.jobspec.scope import Notes
from gitops.jobspec.spec import FileRead, LoadedSpec, Outcome
from gitops.jobspec.spec_json import parse_json_spec
from gitops.jobspec.syntax import (
    Block,
    Body,
    Constant,
    Fault,
    ObjectOf,
    Problems,
    Source,
    Span,
)
from gitops.jobspec.unsupported import limits
from gitops.jobspec.validate import validate, warn
from gitops.jobspec.variables import Variables
from planner.codec import FormatError, from_json
from planner.job import Job

__all__ = ["LoadedSpec", "load", "load_all", "parsed"]

_TASK_PATH = 2  # ("_tasks", 0)
_JOB_POLICIES = {"Update": "Update", "Migrate": "Migrate", "ReschedulePolicy": "Reschedule"}
_TOP = ("job", "variable", "variables", "locals")


@dataclass(slots=True)
class ParsedSpec:
    """A spec before defaults are filled in: API-shaped data, and where its parts were written."""

    source: Source
    problems: Problems
    data: dict[str, object] | None = None
    places: Mapping[Path, Span] = field(default_factory=dict[Path, Span])
    declared: frozenset[str] = frozenset()
    notes: Notes = field(default_factory=Notes)
    sensitive: frozenset[str] = frozenset()
    secrets: Mapping[str, object] = field(default_factory=dict[str, object])


def load(
    text: str, *, path: str, variables: Variables, folder_of: FolderOf = no_folder
) -> LoadedSpec:
    """Return the job of one spec; raises `SpecErrors` with everything that is wrong."""
    return load_all({path: text}, variables, folder_of)[0]


def load_all(
    files: Mapping[str, str], variables: Variables, folder_of: FolderOf = no_folder
) -> tuple[LoadedSpec, ...]:
    """Return the jobs of many specs, in the order of `files`.

    `folder_of` gives the folder in which a spec may read files, by the spec's path.

    Raises `SpecErrors` with the errors of all files; two files with one job are an error, and so
    is a value for a variable that no file declares.
    """
    given = given_values(variables)
    outcomes = [
        outcome(Source.of(path, text), variables, given, folder_of(path))
        for path, text in files.items()
    ]
    return combined(outcomes, given, strict=variables.strict)


def parsed(
    text: str, *, path: str, variables: Variables, folder_of: FolderOf = no_folder
) -> dict[str, object]:
    """Return the job of one spec as the API takes it, with no defaults filled in.

    Raises `SpecErrors` where it can't be parsed; says nothing on whether it is valid.
    """
    given = given_values(variables)
    spec = parse_spec(Source.of(path, text), variables, given, folder_of(path))
    strict = spec.data is not None and variables.strict
    undeclared = _undeclared(given, set(spec.declared)) if strict else []
    if errors := [*given.errors, *spec.problems.errors(), *undeclared]:
        raise SpecErrors(errors)
    return spec.data or {}


def outcome(source: Source, variables: Variables, given: GivenValues, folder: Folder) -> Outcome:
    """Return what becomes of one file; raises nothing."""
    parsed = parse_spec(source, variables, given, folder)
    spec = _finished(parsed)
    errors = parsed.problems.errors()
    return Outcome(None if errors else spec, errors, parsed.declared)


def combined(
    outcomes: Sequence[Outcome], given: GivenValues, *, strict: bool = True
) -> tuple[LoadedSpec, ...]:
    """Return the specs of all files; raises `SpecErrors` for what is wrong in or among them.

    Where it is not `strict`, values for variables that no file declares are warnings only.
    """
    errors = list(given.errors) + [e for o in outcomes for e in o.errors]
    specs = [o.spec for o in outcomes if o.spec is not None]
    errors += _same_job(specs)
    undeclared: list[Diagnostic] = []
    if len(specs) == len(outcomes):  # else a declaration may just not have been read
        undeclared = _undeclared(given, {name for o in outcomes for name in o.declared})
    if strict:
        errors += undeclared
    if errors:
        raise SpecErrors(errors)
    if undeclared and specs:
        told = tuple(replace(d, severity="warning") for d in undeclared)
        specs[0] = replace(specs[0], warnings=(*specs[0].warnings, *told))
    return tuple(specs)


def parse_spec(
    source: Source, variables: Variables, given: GivenValues, folder: Folder = NO_FOLDER
) -> ParsedSpec:
    """Parse and evaluate one spec; its errors are in `problems`."""
    parsed = ParsedSpec(source, Problems(source))
    try:
        if source.text.lstrip("\ufeff \t\r\n").startswith("{"):
            parsed.data, parsed.places = parse_json_spec(source, parsed.problems)
        else:
            _parse_hcl(parsed, variables, given, folder)
    except Fault as e:
        parsed.problems.add(e)
    except RecursionError:
        detail = "Its expressions or blocks refer to each other in too long a chain."
        parsed.problems.add(Fault(None, "The spec is nested too deeply", detail))
    return parsed


def _parse_hcl(
    parsed: ParsedSpec, variables: Variables, given: GivenValues, folder: Folder
) -> None:
    problems = parsed.problems
    body = parse_body(parsed.source, problems)
    _check_top(body, problems)
    found = declared_names(body, problems, folder)
    parsed.declared, parsed.notes = frozenset(found.declarations), found.notes
    fill(found, variables, given.values)
    jobs = list(body.blocks("job"))
    if not jobs:
        detail = 'A spec holds one block job "name" { … }.'
        problems.add(Fault(None, "The job block is missing", detail))
    for extra in jobs[1:]:
        line = problems.source.place(jobs[0].span.start)[0]
        detail = f"The first one is on line {line}. Put each job into a file of its own."
        problems.add(Fault(extra.span, "A second job block", detail))
    if jobs:
        _decode(parsed, found, jobs[0])
        _warn_of_unknown(found, jobs[0])


def _decode(parsed: ParsedSpec, found: Names, job: Block) -> None:
    decoder = Decoder(parsed.problems)
    parsed.secrets = decoder.hider.marks.values
    parsed.sensitive = frozenset(n for n, d in found.declarations.items() if d.sensitive)
    parsed.data = decoder.decode(JOB, job, found.scope(), ())
    own = sum(
        p[:1] == ("_tasks",) and type(p[-1]) is int for p in decoder.places if len(p) == _TASK_PATH
    )
    parsed.places = {_moved(p, own): span for p, span in decoder.places.items()}


def _warn_of_unknown(found: Names, job: Block) -> None:
    """Warn of references that are left for run time, and that run time can't resolve either."""
    unknown = found.notes.unknown
    if not unknown:
        return
    known = [f"var.{n}" for n in found.declarations] + [f"local.{n}" for n in found.locals]
    environment = frozenset(_environment_names(job.body))
    for text, span in unknown.items():
        advice = reference_fault(text, known, environment)
        if advice is not None:
            summary = f'Nothing is known by "{text}", neither here nor at run time'
            found.problems.warn(span, summary, advice)


def _environment_names(body: Body) -> Iterable[str]:
    for block in body.blocks():
        if block.type == "env":
            yield from (a.name for a in block.body.attributes())
        yield from _environment_names(block.body)
    given = body.attribute("env")
    if given is not None and isinstance(given.value, ObjectOf):
        yield from (str(k.value) for k, _ in given.value.items if isinstance(k, Constant))


def _moved(path: Path, own: int) -> Path:
    """Return where a part lies once the job's `own` tasks are groups, before the others."""
    match path:
        case ("_tasks", int(i), *rest):
            return ("TaskGroups", i, "Tasks", 0, *rest)
        case ("TaskGroups", int(i), *rest):
            return ("TaskGroups", i + own, *rest)
        case _:
            return path


def _check_top(body: Body, problems: Problems) -> None:
    for attribute in body.attributes():
        summary = f'Unknown argument "{attribute.name}"'
        problems.add(Fault(attribute.name_span, summary, "A spec holds blocks only."))
    for block in body.blocks():
        if block.type not in _TOP:
            detail = did_you_mean(block.type, _TOP) or f"Known are {', '.join(_TOP)}."
            problems.add(Fault(block.type_span, f'Unknown block "{block.type}"', detail))


def _finished(parsed: ParsedSpec) -> LoadedSpec | None:
    problems, data = parsed.problems, parsed.data
    if data is None or problems.errors():
        return None
    try:
        job = from_json(Job, canonical(data), "job")
    except FormatError as e:
        problems.add(Fault(None, "The job does not have the shape of a job", f"{e}."))
        return None
    for path, fault in validate(job):
        problems.add(Fault(_place(parsed.places, path), *fault))
    for path, fault in warn(job):
        problems.warn(_place(parsed.places, path), *fault)
    place = parsed.source.diagnostic(_place(parsed.places, ("ID",)), "")
    reads = tuple(FileRead(path, digest) for path, digest in sorted(parsed.notes.reads.items()))
    return LoadedSpec(
        job,
        parsed.source.path,
        problems.warnings(),
        parsed.declared,
        place,
        reads,
        parsed.notes.repeats,
        parsed.sensitive,
        parsed.secrets,
        limits=located(limits(job), lambda p: _diagnosed(parsed, p)),
    )


def _diagnosed(parsed: ParsedSpec, path: Path) -> Diagnostic:
    """Return the place of a part; that of a list or of blocks by name is its first item's."""
    items = (
        span
        for p, span in parsed.places.items()
        if len(p) == len(path) + 1 and p[: len(path)] == path
    )
    at = parsed.places.get(path) or min(items, key=lambda s: s.start, default=None)
    return parsed.source.diagnostic(at or _place(parsed.places, path), "", severity="warning")


def _place(places: Mapping[Path, Span], path: Path) -> Span | None:
    """Return where the nearest part around `path` was written.

    A policy that its group does not have was written in the job.
    """
    match path:
        case ("TaskGroups", int(), str(name), *rest) if name in _JOB_POLICIES:
            inherited: Path = (_JOB_POLICIES[name], *rest)
            if path not in places and inherited in places:
                return places[inherited]
        case _:
            pass
    while path not in places and path:
        path = path[:-1]
    return places.get(path)


def _same_job(loaded: Iterable[LoadedSpec]) -> list[Diagnostic]:
    first: dict[tuple[str, str], LoadedSpec] = {}
    wrong: list[Diagnostic] = []
    for spec in loaded:
        job = spec.job
        other = first.setdefault((job.namespace, job.id), spec)
        if other is not spec:
            at = f"{other.place.path}:{other.place.line}:{other.place.column}"
            summary = f'The job "{job.id}" is defined twice'
            detail = f"The other one is at {at}. Rename or remove one of them."
            wrong.append(_with(spec.place, summary, detail))
    return wrong


def _with(place: Diagnostic, summary: str, detail: str) -> Diagnostic:
    return replace(place, summary=summary, detail=detail, severity="error")


def _undeclared(given: GivenValues, declared: set[str]) -> list[Diagnostic]:
    wrong: list[Diagnostic] = []
    for name in sorted(set(given.values) - declared):
        summary = f'No spec declares the variable "{name}"'
        detail = did_you_mean(name, declared) or f'Declare it: variable "{name}" {{}}.'
        value = given.values[name]
        place = value.diagnostic or Diagnostic(value.origin, 0, 0, "")
        # Without the line: it has the value, of which nothing says that it is not a secret.
        wrong.append(replace(_with(place, summary, detail), source_line=""))
    return wrong
