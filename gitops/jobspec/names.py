"""Variables and locals: declared in a spec, filled from outside, checked, kept for evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitops.diagnostics import Diagnostic, did_you_mean
from gitops.jobspec.expressions import Budget, Scope, evaluate
from gitops.jobspec.functions import functions
from gitops.jobspec.hcl import parse_body, parse_expression
from gitops.jobspec.json_value import read_value
from gitops.jobspec.syntax import (
    Attribute,
    Block,
    Body,
    Expression,
    Fault,
    Problems,
    Source,
    Span,
)
from gitops.jobspec.types import Type, convert, read_type
from gitops.jobspec.values import Value, ValueFault, is_number, kind
from gitops.jobspec.variables import ENVIRONMENT_PREFIXES, Variables

MAX_LOCALS_DEEP = 40
_TEXT_TYPES = ("string", "number")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable as a spec declares it."""

    name: str
    span: Span
    type: Type | None
    default: Expression | None
    rules: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """One value from outside: text as it came or an expression, and where it came from."""

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
        try:
            found |= _file_values(path, text)
        except Fault as e:
            wrong.append(Source.of(path, text).diagnostic(e.span, e.summary, e.detail))
    found |= {name: Given(f"-var {name}", text) for name, text in variables.flags}
    return GivenValues(found, tuple(wrong))


def _file_values(path: str, text: str) -> dict[str, Given]:
    if text.lstrip()[:1] == "{":
        return {k: Given(path, None, v) for k, v in _json_object(text).items()}
    source = Source.of(path, text)
    body = parse_body(source)
    block = next(body.blocks(), None)
    if block is not None:
        detail = "A variable file holds lines `name = value`; declare variables in the spec."
        raise Fault(block.span, f'A "{block.type}" block in a variable file', detail)
    scope = Scope(source, keep_unknown=False)
    return {
        a.name: Given(path, None, evaluate(a.value, scope), source.diagnostic(a.span, ""))
        for a in body.attributes()
    }


def _json_object(text: str) -> dict[str, Value]:
    try:
        data = read_value(text)
    except ValueFault as e:
        raise Fault(None, "This variable file cannot be read", f"{e}.") from None
    if not isinstance(data, dict):
        raise Fault(None, "A JSON object is expected", "A variable file maps names to values.")
    return data


@dataclass(slots=True)
class Names:
    """The variables and locals of one spec, worked out when they are asked for."""

    source: Source
    problems: Problems
    declarations: dict[str, Declaration] = field(default_factory=dict[str, Declaration])
    locals: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    known_locals: dict[str, Value] = field(default_factory=dict[str, Value])
    running: list[str] = field(default_factory=list[str])
    budget: Budget = field(default_factory=Budget)

    def scope(self) -> Scope:
        """Return the scope in which the job is evaluated."""
        lazy = {"var": self.variable, "local": self.local}
        return Scope(self.source, {}, lazy, functions(), self.budget)

    def variable(self, name: str, span: Span) -> Value:
        """Return the value of ``var.name``; raises `Fault`."""
        if name in self.values:
            return self.values[name]
        if name in self.declarations:
            raise _no_value(self.declarations[name])
        detail = did_you_mean(name, self.declarations) or f'Declare it: variable "{name}" {{}}.'
        raise Fault(span, f'There is no variable "{name}"', detail)

    def local(self, name: str, span: Span) -> Value:
        """Return the value of ``local.name``; raises `Fault`, for a circle too."""
        if name in self.known_locals:
            return self.known_locals[name]
        if name not in self.locals:
            raise Fault(span, f'There is no local "{name}"', did_you_mean(name, self.locals))
        if name in self.running:
            circle = " -> ".join([*self.running[self.running.index(name) :], name])
            raise Fault(span, f'The local "{name}" refers to itself', f"{circle}.")
        if len(self.running) > MAX_LOCALS_DEEP:
            raise Fault(span, "Too many locals refer to each other in a row")
        self.running.append(name)
        try:
            value = evaluate(self.locals[name].value, self.scope())
        finally:
            self.running.pop()
        self.known_locals[name] = value
        return value


def names(
    body: Body, problems: Problems, variables: Variables, given: Mapping[str, Given]
) -> Names:
    """Declare, fill and check the variables and locals of a spec; problems are noted."""
    found = Names(problems.source, problems)
    for block in body.blocks():
        collect = _COLLECTORS.get(block.type)
        if collect:
            collect(found, block)
    for declaration in found.declarations.values():
        _note(problems, _fill, found, declaration, _chosen(declaration.name, variables, given))
    for name, local in found.locals.items():
        _note(problems, found.local, name, local.name_span)
    return found


def _note(problems: Problems, function: Callable[..., object], *arguments: object) -> None:
    try:
        function(*arguments)
    except Fault as e:
        problems.add(e)


def _declare(found: Names, declaration: Declaration) -> None:
    if declaration.name in found.declarations:
        first = found.source.place(found.declarations[declaration.name].span.start)[0]
        detail = f"It is declared on line {first} already."
        found.problems.add(
            Fault(declaration.span, f'A second variable "{declaration.name}"', detail)
        )
    else:
        found.declarations[declaration.name] = declaration


def _collect_variable(found: Names, block: Block) -> None:
    if len(block.labels) != 1 or not block.labels[0].text.replace("-", "_").isidentifier():
        detail = 'Write variable "name" { … }, the name of letters, digits, "_" and "-".'
        found.problems.add(Fault(block.span, "Invalid variable name", detail))
        return
    try:
        _declare(found, _declaration(block))
    except Fault as e:
        found.problems.add(e)


_VARIABLE_ARGUMENTS = frozenset({"type", "default", "description", "sensitive"})


def _declaration(block: Block) -> Declaration:
    for attribute in block.body.attributes():
        if attribute.name not in _VARIABLE_ARGUMENTS:
            detail = did_you_mean(attribute.name, _VARIABLE_ARGUMENTS)
            summary = f'Unknown argument "{attribute.name}" in variable'
            raise Fault(attribute.name_span, summary, detail)
    rules = tuple(block.body.blocks("validation"))
    if len(rules) != len(list(block.body.blocks())):
        other = next(b for b in block.body.blocks() if b.type != "validation")
        raise Fault(other.type_span, f'Unknown block "{other.type}" in variable')
    given_type, default = block.body.attribute("type"), block.body.attribute("default")
    return Declaration(
        block.labels[0].text,
        block.span,
        read_type(given_type.value) if given_type else None,
        default.value if default else None,
        rules,
    )


def _collect_variables(found: Names, block: Block) -> None:
    for attribute in block.body.attributes():
        _declare(found, Declaration(attribute.name, attribute.name_span, None, attribute.value))


def _collect_locals(found: Names, block: Block) -> None:
    for attribute in block.body.attributes():
        if attribute.name in found.locals:
            fault = Fault(attribute.name_span, f'A second local "{attribute.name}"', "Rename it.")
            found.problems.add(fault)
        found.locals.setdefault(attribute.name, attribute)


_COLLECTORS: dict[str, Callable[[Names, Block], None]] = {
    "variable": _collect_variable,
    "variables": _collect_variables,
    "locals": _collect_locals,
}


def _chosen(name: str, variables: Variables, given: Mapping[str, Given]) -> Given | None:
    if name in given:
        return given[name]
    prefixed = (f"{p}{name}" for p in reversed(ENVIRONMENT_PREFIXES))
    key = next((k for k in prefixed if k in variables.environment), None)
    return Given(f"environment variable {key}", variables.environment[key]) if key else None


def _fill(found: Names, declaration: Declaration, given: Given | None) -> None:
    constant = Scope(found.source, {}, {}, functions(), found.budget, keep_unknown=False)
    wanted = declaration.type
    if declaration.default is not None:
        default = evaluate(declaration.default, constant)
        default = _typed(default, wanted, declaration.default.span, "default")
        wanted = wanted or _type_of(default)
        found.values[declaration.name] = default
    if given is not None:
        value = given.value if given.text is None else _from_text(given, wanted, declaration)
        what = f'value of "{declaration.name}" ({given.origin})'
        found.values[declaration.name] = _typed(value, wanted, declaration.span, what)
    elif declaration.default is None:
        raise _no_value(declaration)
    for rule in declaration.rules:
        _check_rule(found, declaration, rule)


def _no_value(declaration: Declaration) -> Fault:
    name = declaration.name
    detail = f"Give it a default, or pass -var {name}=…, a variable file, or NOMAD_VAR_{name}."
    return Fault(declaration.span, f'The variable "{name}" has no value', detail)


def _type_of(value: Value) -> Type | None:
    return Type(kind(value)) if isinstance(value, str | bool) or is_number(value) else None


def _from_text(given: Given, wanted: Type | None, declaration: Declaration) -> Value:
    text = given.text or ""
    if wanted is None and declaration.default is None:
        return text
    if wanted is not None and wanted.name in _TEXT_TYPES:
        return text
    source = Source.of(given.origin, text)
    try:
        node = parse_expression(source, Span(0, len(text)))
        return evaluate(node, Scope(source, keep_unknown=False))
    except Fault as e:
        summary = f'Invalid value of "{declaration.name}" ({given.origin})'
        raise Fault(declaration.span, summary, f"{e.summary}. {e.detail}") from None


def _typed(value: Value, wanted: Type | None, span: Span, what: str) -> Value:
    try:
        return convert(value, wanted) if wanted else value
    except ValueFault as e:
        raise Fault(span, f"Invalid {what}", f"{e}.") from None


def _check_rule(found: Names, declaration: Declaration, rule: Block) -> None:
    condition = rule.body.attribute("condition")
    message = rule.body.attribute("error_message")
    if condition is None or message is None:
        raise Fault(rule.span, "Incomplete validation", "It needs condition and error_message.")
    own = {declaration.name: found.values[declaration.name]}
    scope = Scope(found.source, {"var": own}, {}, functions(), found.budget, keep_unknown=False)
    if evaluate(condition.value, scope) is not True:
        detail = str(evaluate(message.value, scope))
        raise Fault(declaration.span, f'The variable "{declaration.name}" is not valid', detail)
