"""What an expression may use while it is evaluated, and what is noted about it on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from gitops.jobspec.files import (
    LISTING,
    NO_FOLDER,
    FileFault,
    Folder,
    digest_of,
    digest_of_names,
    matching,
)
from gitops.jobspec.syntax import Call, Fault, Problems, Source, Span
from gitops.jobspec.values import MAX_ITEMS, Value

MAX_READ = 8 * 1024 * 1024


@dataclass(slots=True)
class Budget:
    """How much an evaluation may still produce; a bomb in a spec ends here."""

    left: int = MAX_ITEMS

    def take(self, count: int, span: Span) -> None:
        """Use up `count` items; raises `Fault` when there are none left."""
        self.left -= count
        if self.left < 0:
            detail = f"The expressions of a file make at most {MAX_ITEMS} items."
            fault = Fault(span, "The expression grows too large", detail)
            fault.final = True
            raise fault


@dataclass(slots=True)
class Notes:
    """What is noted while a spec is evaluated: files read, references kept, what can't repeat."""

    problems: Problems | None = None
    reads: dict[str, str] = field(default_factory=dict[str, str])
    unknown: dict[str, Span] = field(default_factory=dict[str, Span])
    repeats: bool = True
    # whether a sensitive variable was used since this was last cleared
    touched: bool = False
    left: int = MAX_READ

    def read(self, folder: Folder, path: str) -> bytes:
        """Return a file's content; raises `FileFault`."""
        content = self._read(folder, path)
        if content is None:
            raise FileFault(f"there is no file {path}")
        return content

    def exists(self, folder: Folder, path: str) -> bool:
        """Say whether there is a file."""
        return self._read(folder, path) is not None

    def _read(self, folder: Folder, path: str) -> bytes | None:
        content = folder.read(path)
        self.reads[folder.inside(path)] = digest_of(content)
        self.left -= len(content or b"")
        if self.left < 0:
            raise FileFault(f"a spec reads at most {MAX_READ // 2**20} MiB of files")
        return content

    def matching(self, folder: Folder, pattern: str) -> list[str]:
        """Return the files that match; raises `FileFault`."""
        names = matching(folder, pattern)
        inside = [folder.inside(n) for n in names]
        self.reads[LISTING + folder.inside(pattern)] = digest_of_names(inside)
        return names


class Root(Protocol):
    """A root such as ``local`` whose members are worked out when they are asked for."""

    def member(self, name: str, span: Span) -> Value:
        """Return the value of one member; raises `Fault`."""
        ...

    def everything(self, span: Span) -> Value:
        """Return all members; raises `Fault`."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """The names an expression may use: `values` are iterators, `lazy` roots.

    Where `keep_unknown` is false a name that is not known is an error.
    """

    source: Source
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    lazy: Mapping[str, Root] = field(default_factory=dict[str, Root])
    functions: Mapping[str, Function] = field(default_factory=dict[str, "Function"])
    budget: Budget = field(default_factory=Budget)
    keep_unknown: bool = True
    notes: Notes = field(default_factory=Notes)
    folder: Folder = NO_FOLDER

    def with_values(self, more: Mapping[str, Value]) -> Scope:
        """Return the scope with further names."""
        return replace(self, values={**self.values, **more})

    def varying(self, name: str, span: Span) -> None:
        """Note that a function gives another value each time, or elsewhere."""
        self.notes.repeats = False
        if self.notes.problems is not None:
            detail = (
                "The plan changes each time, even if nothing else does. Use a variable, or a"
                ' function of what is given, such as uuidv5("dns", "name").'
            )
            summary = f'"{name}" gives another value each time or elsewhere'
            self.notes.problems.warn(span, summary, detail)


# Takes the arguments as expressions: a few functions (try, can, convert) do not want values.
Function: TypeAlias = Callable[[Call, Scope], Value]
