"""The syntax tree of HCL, each node with its place in the source. Evaluates nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from gitops.diagnostics import Diagnostic, Severity
from gitops.jobspec.numbers import Number

T = TypeVar("T")
R = TypeVar("R")

MAX_FOUND = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A range of character offsets of a source."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the range from the start of this one to the end of `other`."""
        return Span(self.start, other.end)


@dataclass(slots=True)
class Effort:
    """How much of a file may still be given to the parser, in characters; it is slow."""

    left: int = 200_000

    def spend(self, characters: int) -> bool:
        """Take some away, and a little for each time; false where there is not so much."""
        self.left -= characters + 40
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file, and its path as it is shown to users."""

    path: str
    text: str
    starts: tuple[int, ...] = field(default=(), repr=False)
    effort: Effort = field(default_factory=Effort, repr=False, compare=False)

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        """Return the source with its line starts worked out."""
        starts = [0]
        starts += [i + 1 for i, c in enumerate(text) if c == "\n"]
        return cls(path, text, tuple(starts))

    def place(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a character offset."""
        line = bisect_right(self.starts, offset)
        column = offset - self.starts[line - 1] + 1
        return line, column - (line == 1 and self.text.startswith("\ufeff") and offset > 0)

    def slice(self, span: Span) -> str:
        """Return the text of `span`."""
        return self.text[span.start : span.end]

    def diagnostic(
        self, span: Span | None, summary: str, detail: str = "", severity: Severity = "error"
    ) -> Diagnostic:
        """Return a diagnostic for `span`; None stands for the file as a whole."""
        if span is None:
            return Diagnostic(self.path, 0, 0, summary, detail, severity)
        line, column = self.place(span.start)
        end_line, end_column = self.place(max(span.end, span.start + 1))
        start = self.starts[line - 1]
        stop = self.text.find("\n", start)
        shown = self.text[start : stop if stop >= 0 else None]
        shown = shown.rstrip("\r").removeprefix("\ufeff")
        place = (self.path, line, column)
        return Diagnostic(*place, summary, detail, severity, shown, end_column, end_line)


class Fault(Exception):  # noqa: N818 - internal: becomes a Diagnostic
    """One thing that is wrong at one place of a source, and `others` beside it.

    A `final` one ends the evaluation: nothing more is looked for.
    """

    others: tuple[Fault, ...] = ()
    final = False

    def __init__(self, span: Span | None, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.span = span
        self.summary = summary
        self.detail = detail


def each(items: Iterable[T], work: Callable[[T], R]) -> list[R]:
    """Return what comes of each item; raises one `Fault` that has with it those of the others."""
    done: list[R] = []
    faults: list[Fault] = []
    for item in items:
        try:
            done.append(work(item))
        except Fault as e:
            if e.final or len(faults) >= MAX_FOUND:
                raise
            faults.append(e)
    if not faults:
        return done
    first, *more = faults
    # A copy: that of a local is raised wherever the local is used.
    fault = Fault(first.span, first.summary, first.detail)
    fault.others = (*first.others, *more)
    raise fault


@dataclass(slots=True)
class Problems:
    """Collects the errors and warnings of one file."""

    source: Source
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def add(self, fault: Fault) -> None:
        """Note an error; from a point on, more of them help nobody."""
        if len(self.found) >= MAX_FOUND:
            return
        self.found.append(self.source.diagnostic(fault.span, fault.summary, fault.detail))
        for other in fault.others:
            self.add(other)

    def warn(self, span: Span | None, summary: str, detail: str = "") -> None:
        """Note a warning."""
        if len(self.found) >= MAX_FOUND:
            return
        self.found.append(self.source.diagnostic(span, summary, detail, "warning"))

    def errors(self) -> tuple[Diagnostic, ...]:
        """Return the errors, in the order of the file, each once."""
        found = {d: None for d in self.found if d.severity == "error"}
        return tuple(sorted(found, key=lambda d: (d.line, d.column)))

    def warnings(self) -> tuple[Diagnostic, ...]:
        """Return the warnings, in the order of the file, each once."""
        found = {d: None for d in self.found if d.severity == "warning"}
        return tuple(sorted(found, key=lambda d: (d.line, d.column)))


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: null, a bool, a number, or text without a template."""

    value: bool | Number | str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Branch:
    """``%{ if }``, its two halves."""

    condition: Expression
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``%{ for }`` and its body."""

    names: tuple[str, ...]
    collection: Expression
    body: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Text with interpolations and directives."""

    parts: tuple[Part, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A root name such as ``var``."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """One ``.name`` of an access."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """One ``[key]`` of an access; `dotted` is its old form ``.0``."""

    key: Expression
    span: Span
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """A splat among steps: what follows it is done for each item; `dotted` is its form ``.*``."""

    steps: tuple[Step, ...]
    span: Span
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """Steps into a value, as in ``var.hosts[0].name`` or ``var.hosts[*].name``."""

    source: Expression
    steps: tuple[Step, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """An expression in brackets."""

    inner: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `spread` says that the last argument had ``...``."""

    name: str
    name_span: Span
    arguments: tuple[Expression, ...]
    spread: bool
    span: Span


@dataclass(frozen=True, slots=True)
class TupleOf:
    """``[a, b]``."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """``{ key = value }``."""

    items: tuple[tuple[Expression, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? then : otherwise``."""

    condition: Expression
    then: Expression
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """``-operand`` or ``!operand``."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """A for expression; `key` is given for objects, `group` is its ``...``."""

    names: tuple[str, ...]
    collection: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    group: bool
    span: Span


Expression: TypeAlias = (
    Constant
    | Template
    | Name
    | Access
    | Group
    | Call
    | TupleOf
    | ObjectOf
    | Conditional
    | Binary
    | Unary
    | For
)
Step: TypeAlias = Member | Index | Each
Part: TypeAlias = str | Branch | Repeat | Expression


@dataclass(frozen=True, slots=True)
class Attribute:
    """``name = expression``."""

    name: str
    value: Expression
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a block."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """``type "label" { body }``; `span` covers the header only."""

    type: str
    labels: tuple[Label, ...]
    body: Body
    type_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Body:
    """What stands between braces, or in a file, in its order."""

    items: tuple[Attribute | Block, ...]
    span: Span

    def attributes(self) -> Iterator[Attribute]:
        """Yield the attributes."""
        return (i for i in self.items if isinstance(i, Attribute))

    def blocks(self, kind: str | None = None) -> Iterator[Block]:
        """Yield the blocks, all or those of one type."""
        return (i for i in self.items if isinstance(i, Block) and (kind is None or i.type == kind))

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute `name`, or None."""
        return next((a for a in self.attributes() if a.name == name), None)
