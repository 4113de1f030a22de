"""Why hosts were taken or left out, and which fields force updates, as tables of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gitops.view.columns import table, wrapped_table
from gitops.view.palette import Palette
from planner.explanation import Explanation, RuledOut
from planner.node_score import NodeScore
from planner.plan import JobPlan

# Without -verbose: so many hosts with scores, and so many names for one reason.
MOST_SCORES = 10
MOST_HOSTS = 3

# The scorers, as they are headed here; others keep their names.
_HEADS = {
    "binpack": "binpack",
    "job-anti-affinity": "anti-aff.",
    "node-affinity": "affinity",
    "allocation-spread": "spread",
    "node-reschedule-penalty": "previous",
}
_HOST_WIDTH = 30


def why_lines(job: JobPlan, palette: Palette) -> list[str]:
    """Return every field that forces an update of the job's allocations, if there are any."""
    rows = [(g.name, str(w.action), w.task, w.reason) for g in job.groups for w in g.why]
    if not rows:
        return []
    header = ("Task Group", "Action", "Task", "Because of")
    return [palette.paint("bold", "Updates:"), *wrapped_table(header, rows)]


def explanation_lines(
    explanations: Iterable[Explanation], palette: Palette, *, verbose: bool = False
) -> list[str]:
    """Return for each group the scores of its hosts, and what ruled the others out.

    Without `verbose` the best hosts are shown, and a few names beside the number of the rest.
    """
    lines: list[str] = []
    for found in explanations:
        where = found.node or "<none>"
        title = f"Hosts for group {found.group!r} ({found.name} -> {where}):"
        lines += [palette.paint("bold", title.replace("'", '"'))]
        lines += _scores(found.scores, found.node, verbose=verbose)
        lines += _ruled_out(found.ruled_out, verbose=verbose)
        lines.append("")
    return lines[:-1]


def _scores(scores: Sequence[NodeScore], taken: str, *, verbose: bool) -> list[str]:
    if not scores:
        return []
    shown = scores if verbose else scores[:MOST_SCORES]
    present = {name for s in scores for name, value in s.parts.items() if value}
    parts = [p for p in _HEADS if p in present or p == "binpack"]
    parts += sorted(present - set(parts))
    heads = [_HEADS.get(p, p) for p in parts]
    rows = [
        (
            _short(s.node) + "*" * (s.node == taken),
            *(_number(s.parts.get(p, 0.0)) for p in parts),
            _number(s.final),
        )
        for s in shown
    ]
    lines = table(("Host", *heads, "final"), rows)
    if more := len(scores) - len(shown):
        last = _number(scores[-1].final)
        lines.append(f"and {more} more, down to {last}; -verbose shows them")
    return lines


def _short(name: str) -> str:
    return name if len(name) <= _HOST_WIDTH else name[: _HOST_WIDTH - 1] + "…"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if value else "0"


def _ruled_out(ruled: Sequence[RuledOut], *, verbose: bool) -> list[str]:
    if not ruled:
        return []
    return wrapped_table(
        ("Left out", "Because of"),
        [(_count(r), f"{r.reason} ({', '.join(_names(r, verbose=verbose))})") for r in ruled],
    )


def _count(ruled: RuledOut) -> str:
    n = len(ruled.hosts)
    return f"{n} host{'' if n == 1 else 's'}"


def _names(ruled: RuledOut, *, verbose: bool) -> Iterator[str]:
    shown = ruled.hosts if verbose else ruled.hosts[:MOST_HOSTS]
    yield from shown
    if len(shown) < len(ruled.hosts):
        yield "…"
