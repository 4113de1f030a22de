"""Variables and locals: declared in a spec, filled from outside, checked, kept for evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitops.diagnostics import did_you_mean
from gitops.jobspec.expressions import evaluate
from gitops.jobspec.files import NO_FOLDER, Folder
from gitops.jobspec.functions import functions
from gitops.jobspec.given import Given, chosen
from gitops.jobspec.hcl import parse_expression
from gitops.jobspec.scope import Budget, Notes, Root, Scope
from gitops.jobspec.sensitive import HIDDEN
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
from gitops.jobspec.type_syntax import read_type
from gitops.jobspec.types import Type, convert, type_of
from gitops.jobspec.values import Value, ValueFault
from gitops.jobspec.variables import Variables

MAX_LOCALS_DEEP = 40
_TEXT_TYPES = ("string", "number")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable as a spec declares it; `type` is None where that is left to its default."""

    name: str
    span: Span
    type: Type | None
    default: Expression | None
    rules: tuple[Block, ...] = ()
    sensitive: bool = False


@dataclass(slots=True)
class Names:
    """The variables and locals of one spec, worked out when they are asked for."""

    source: Source
    problems: Problems
    folder: Folder = NO_FOLDER
    declarations: dict[str, Declaration] = field(default_factory=dict[str, Declaration])
    locals: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    known_locals: dict[str, Value] = field(default_factory=dict[str, Value])
    # Why a variable or local has no value: told once, wherever it is used.
    failed: dict[str, Fault] = field(default_factory=dict[str, Fault])
    failed_locals: dict[str, Fault] = field(default_factory=dict[str, Fault])
    # Locals whose values come from sensitive variables.
    sensitive_locals: set[str] = field(default_factory=set[str])
    running: list[str] = field(default_factory=list[str])
    budget: Budget = field(default_factory=Budget)
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        self.notes = Notes(self.problems)

    def scope(self) -> Scope:
        """Return the scope in which the job is evaluated."""
        lazy: dict[str, Root] = {"var": _Variables(self), "local": _Locals(self)}
        return Scope(
            self.source,
            {},
            lazy,
            functions(),
            self.budget,
            notes=self.notes,
            folder=self.folder,
        )

    def constant(self) -> Scope:
        """Return the scope of defaults and rules: nothing but functions of what is given."""
        return Scope(
            self.source, {}, {}, functions(), self.budget, keep_unknown=False, notes=self.notes
        )

    def local(self, name: str, span: Span) -> Value:
        """Return the value of ``local.name``; raises `Fault`, for a circle too."""
        if name in self.sensitive_locals:
            self.notes.touched = True
        if name in self.known_locals:
            return self.known_locals[name]
        if name in self.failed_locals:
            raise self.failed_locals[name]
        if name not in self.locals:
            detail = did_you_mean(name, self.locals) or _elsewhere(name, "var", self.declarations)
            raise Fault(span, f'There is no local "{name}"', detail)
        if name in self.running:
            circle = " -> ".join([*self.running[self.running.index(name) :], name])
            raise Fault(span, f'The local "{name}" refers to itself', f"{circle}.")
        if len(self.running) > MAX_LOCALS_DEEP:
            raise Fault(span, "Too many locals refer to each other in a row")
        value = self._worked_out(name)
        self.known_locals[name] = value
        return value

    def _worked_out(self, name: str) -> Value:
        self.running.append(name)
        outer, self.notes.touched = self.notes.touched, False
        try:
            return evaluate(self.locals[name].value, self.scope())
        except Fault as e:
            told = self._told(e, name)
            self.failed_locals[name] = told
            raise told from None
        finally:
            self.running.pop()
            if self.notes.touched:
                self.sensitive_locals.add(name)
            self.notes.touched = self.notes.touched or outer

    def _told(self, fault: Fault, name: str) -> Fault:
        """Return the fault of a local, without what it could tell of a sensitive value."""
        if not self.notes.touched:
            return fault
        return Fault(fault.span, f'The local "{name}" has no value', HIDDEN)


def _elsewhere(name: str, root: str, known: Mapping[str, object]) -> str:
    return f'Did you mean "{root}.{name}"?' if name in known else ""


@dataclass(frozen=True, slots=True)
class _Variables:
    names: Names

    def member(self, name: str, span: Span) -> Value:
        names = self.names
        if name in names.declarations and names.declarations[name].sensitive:
            names.notes.touched = True
        if name in names.values:
            return names.values[name]
        if name in names.failed:
            raise names.failed[name]
        detail = (
            did_you_mean(name, names.declarations)
            or _elsewhere(name, "local", names.locals)
            or f'Declare it: variable "{name}" {{}}.'
        )
        raise Fault(span, f'There is no variable "{name}"', detail)

    def everything(self, span: Span) -> Value:
        return {name: self.member(name, span) for name in sorted(self.names.declarations)}


@dataclass(frozen=True, slots=True)
class _Locals:
    names: Names

    def member(self, name: str, span: Span) -> Value:
        return self.names.local(name, span)

    def everything(self, span: Span) -> Value:
        return {name: self.names.local(name, span) for name in sorted(self.names.locals)}


def declared_names(body: Body, problems: Problems, folder: Folder = NO_FOLDER) -> Names:
    """Return the variables and locals of a spec, not yet filled; problems are noted."""
    found = Names(problems.source, problems, folder)
    for block in body.blocks():
        collect = _COLLECTORS.get(block.type)
        if collect:
            collect(found, block)
    return found


def fill(found: Names, variables: Variables, given: Mapping[str, Given]) -> None:
    """Give the variables their values and work out all locals; problems are noted."""
    for name, declaration in found.declarations.items():
        try:
            if name not in found.failed:
                _fill(found, declaration, chosen(name, variables, given))
        except Fault as fault:
            e = _hidden(fault, declaration)
            found.problems.add(e)
            found.failed[name] = e
            found.values.pop(name, None)
    for name, local in found.locals.items():
        try:
            found.local(name, local.name_span)
        except Fault as e:
            found.problems.add(e)


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
    name = block.labels[0].text
    _check_variable(found, block)
    given_type, default = block.body.attribute("type"), block.body.attribute("default")
    wanted: Type | None = None
    try:
        if given_type:
            wanted = read_type(given_type.value, lambda node: evaluate(node, found.constant()))
    except Fault as e:
        found.problems.add(e)
        found.failed[name] = e
    rules = tuple(block.body.blocks("validation"))
    value = default.value if default else None
    sensitive = _is_sensitive(found, block)
    _declare(found, Declaration(name, block.span, wanted, value, rules, sensitive))


def _is_sensitive(found: Names, block: Block) -> bool:
    given = block.body.attribute("sensitive")
    if given is None:
        return False
    try:
        value = evaluate(given.value, found.constant())
        if isinstance(value, bool):
            return value
        fault = Fault(given.value.span, 'Invalid value of "sensitive"', "Write true or false.")
    except Fault as e:
        fault = e
    found.problems.add(fault)
    # Whatever was meant: it may have been true.
    return True


_VARIABLE_ARGUMENTS = frozenset({"type", "default", "description", "sensitive"})


def _check_variable(found: Names, block: Block) -> None:
    for attribute in block.body.attributes():
        if attribute.name not in _VARIABLE_ARGUMENTS:
            detail = did_you_mean(attribute.name, _VARIABLE_ARGUMENTS)
            summary = f'Unknown argument "{attribute.name}" in variable'
            fault = Fault(attribute.name_span, summary, detail)
            found.problems.add(fault)
            found.failed[block.labels[0].text] = fault
    for inner in block.body.blocks():
        if inner.type != "validation":
            detail = did_you_mean(inner.type, ["validation"])
            summary = f'Unknown block "{inner.type}" in variable'
            found.problems.add(Fault(inner.type_span, summary, detail))


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


def _fill(found: Names, declaration: Declaration, given: Given | None) -> None:
    wanted = declaration.type
    if declaration.default is not None:
        default = evaluate(declaration.default, found.constant())
        default = _typed(default, wanted, declaration.default.span, "default")
        wanted = type_of(default) if wanted is None else wanted
        found.values[declaration.name] = default
    if given is not None:
        value = given.value if given.text is None else _from_text(given, wanted, declaration)
        what = f'value of "{declaration.name}" ({given.origin})'
        found.values[declaration.name] = _typed(value, wanted, declaration.span, what)
    elif declaration.default is None:
        raise _no_value(declaration)
    for rule in declaration.rules:
        _check_rule(found, declaration, rule)


def _hidden(fault: Fault, declaration: Declaration) -> Fault:
    """Return the fault without what it could tell of a sensitive variable's value."""
    if not declaration.sensitive or isinstance(fault, _NoValue):
        return fault
    return Fault(declaration.span, f'Invalid value of the variable "{declaration.name}"', HIDDEN)


class _NoValue(Fault):
    """A variable was not given: that may be told of any."""


def _no_value(declaration: Declaration) -> Fault:
    name = declaration.name
    detail = f"Give it a default, or pass -var {name}=…, a variable file, or NOMAD_VAR_{name}."
    return _NoValue(declaration.span, f'The variable "{name}" has no value', detail)


def _from_text(given: Given, wanted: Type | None, declaration: Declaration) -> Value:
    text = given.text or ""
    if wanted is None or wanted.name in _TEXT_TYPES:
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
    if condition is None or message is None or len(rule.body.items) > 2:  # noqa: PLR2004
        detail = "It needs condition and error_message, and nothing else."
        raise Fault(rule.span, "Invalid validation", detail)
    own = _Own(declaration.name, found.values[declaration.name])
    scope = Scope(
        found.source,
        {},
        {"var": own},
        functions(),
        found.budget,
        keep_unknown=False,
        notes=found.notes,
    )
    verdict = evaluate(condition.value, scope)
    if not own.asked:
        detail = f"It is about var.{declaration.name}, so it must refer to that."
        raise Fault(condition.value.span, "Invalid condition", detail)
    if not isinstance(verdict, bool):
        raise Fault(condition.value.span, "Invalid condition", "It is neither true nor false.")
    told = evaluate(message.value, scope)
    if not isinstance(told, str) or not told.strip():
        raise Fault(message.value.span, "Invalid error_message", "Say in it what is wrong.")
    if not verdict:
        raise Fault(declaration.span, f'The variable "{declaration.name}" is not valid', told)


@dataclass(slots=True)
class _Own:
    """The one variable that a rule may refer to."""

    name: str
    value: Value
    asked: bool = False

    def member(self, name: str, span: Span) -> Value:
        if name != self.name:
            detail = f"Only var.{self.name} may be referred to in its own validation."
            raise Fault(span, f'"{name}" is not known here', detail)
        self.asked = True
        return self.value

    def everything(self, span: Span) -> Value:
        return {self.name: self.member(self.name, span)}
