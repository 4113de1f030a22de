"""Values of variables from outside: flags, variable files, the environment. Read, not yet typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops.diagnostics import Diagnostic
from gitops.jobspec.expressions import evaluate
from gitops.jobspec.hcl import parse_body
from gitops.jobspec.json_value import read_value
from gitops.jobspec.scope import Scope
from gitops.jobspec.syntax import Body, Fault, Problems, Source
from gitops.jobspec.values import Value, ValueFault
from gitops.jobspec.variables import ENVIRONMENT_PREFIXES, Variables


@dataclass(frozen=True, slots=True)
class Given:
    """One value from outside: text as it came or a value, and where it came from."""

    origin: str
    text: str | None = None
    value: Value = None
    diagnostic: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class GivenValues:
    """The winning value for each name from flags and files, and what is wrong with the files."""

    values: Mapping[str, Given] = field(default_factory=dict[str, Given])
    errors: tuple[Diagnostic, ...] = ()


def given_values(variables: Variables) -> GivenValues:
    """Read the values that flags and files give.

    The environment is not in it: it is looked at only for variables that are declared.
    """
    found: dict[str, Given] = {}
    wrong: list[Diagnostic] = []
    for path, text in variables.files:
        values, errors = _file_values(path, text)
        found |= values
        wrong += errors
    found |= {name: Given(f"-var {name}", text) for name, text in variables.flags}
    return GivenValues(found, tuple(wrong))


def chosen(name: str, variables: Variables, given: Mapping[str, Given]) -> Given | None:
    """Return the value that wins for a declared variable, or None."""
    if name in given:
        return given[name]
    prefixed = (f"{p}{name}" for p in reversed(ENVIRONMENT_PREFIXES))
    key = next((k for k in prefixed if k in variables.environment), None)
    return Given(f"environment variable {key}", variables.environment[key]) if key else None


def _file_values(path: str, text: str) -> tuple[dict[str, Given], tuple[Diagnostic, ...]]:
    problems = Problems(Source.of(path, text))
    values: dict[str, Given] = {}
    try:
        if text.lstrip("\ufeff \t\r\n")[:1] == "{":
            values = {k: Given(path, None, v) for k, v in _json_object(text).items()}
        else:
            values = _native(problems)
    except Fault as e:
        problems.add(e)
    return values, problems.errors()


def _native(problems: Problems) -> dict[str, Given]:
    source = problems.source
    body: Body = parse_body(source)
    for block in body.blocks():
        detail = "A variable file holds lines `name = value`; declare variables in the spec."
        problems.add(Fault(block.span, f'A "{block.type}" block in a variable file', detail))
    scope = Scope(source, keep_unknown=False)
    values: dict[str, Given] = {}
    for a in body.attributes():
        try:
            value = evaluate(a.value, scope)
            values[a.name] = Given(source.path, None, value, source.diagnostic(a.span, ""))
        except Fault as e:
            problems.add(e)
    return values


def _json_object(text: str) -> dict[str, Value]:
    try:
        data = read_value(text.lstrip("\ufeff"))
    except ValueFault as e:
        raise Fault(None, "This variable file cannot be read", f"{e}.") from None
    if not isinstance(data, dict):
        raise Fault(None, "A JSON object is expected", "A variable file maps names to values.")
    return data
