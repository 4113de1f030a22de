"""What a spec asks for that orch does not honour, or in part, and where it says so. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitops.diagnostics import Diagnostic
from gitops.jobspec.features import WHY_NOT

if TYPE_CHECKING:
    from gitops.jobspec.decode import Path
    from gitops.jobspec.unsupported import Found


@dataclass(frozen=True, slots=True)
class Limit:
    """A feature by its name, what is done of it (nothing if empty), and its first place.

    A `quiet` one is listed in reports only. `lines` are the lines of its other places.
    """

    name: str
    part: str
    quiet: bool
    place: Diagnostic
    lines: tuple[int, ...] = ()

    @property
    def warning(self) -> Diagnostic:
        """What `orch validate` says of it."""
        if self.part:
            summary, advice = f"{self.name} is honoured in part", f"That is: {self.part}."
        else:
            why = WHY_NOT.get(self.name, "")
            summary = f"{self.name} is not honoured{'' if why else ' yet'}"
            word = self.name.partition(" ")[0] if " " not in self.name else f'"{self.name}"'
            advice = f"apply refuses the job; -ignore-unsupported={word} lets it run without."
            advice = f"{why[:1].upper()}{why[1:]}.\n{advice}" if why else advice
        also = f"\nAlso on line {', '.join(map(str, self.lines))}." if self.lines else ""
        return replace(self.place, summary=summary, detail=advice + also, severity="warning")


def located(found: Iterable[Found], place: Callable[[Path], Diagnostic]) -> tuple[Limit, ...]:
    """Return what was found, each feature once, in the order of the spec."""
    by_name: dict[str, list[Found]] = {}
    for each in found:
        by_name.setdefault(each.feature.name, []).append(each)
    limits = [_limit(same, [place(f.path) for f in same]) for same in by_name.values()]
    return tuple(sorted(limits, key=lambda x: _order(x.place)))


def _limit(found: list[Found], places: list[Diagnostic]) -> Limit:
    feature = found[0].feature
    first, *others = sorted(places, key=_order)
    lines = {d.line for d in others} - {first.line}
    return Limit(feature.name, feature.part, feature.quiet, first, tuple(sorted(lines)))


def _order(place: Diagnostic) -> tuple[int, int]:
    return place.line, place.column
