"""A plan as Markdown for a forge: what changes at a glance, diffs folded, under its size limit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from gitops.view.diff_text import diff_lines
from gitops.view.failure_text import failure_lines
from gitops.view.palette import Palette
from gitops.view.safe import clean
from gitops.view.summary_text import summary
from planner.action import Action
from planner.plan import JobPlan, Plan

# Forges take comments of 65,536 characters at most; something is left for whoever wraps this.
LIMIT = 60_000
_ROWS = 50
_HOSTS = 10
# What means something to Markdown, or to the HTML in it.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_PLAIN = Palette(False)


def markdown(plan: Plan, limit: int = LIMIT) -> str:
    """Return the plan in at most `limit` characters, ending in a newline.

    The table of jobs, forced replacements and failed placements come first; diffs follow as long
    as there is room, and what was left out is said.
    """
    changed = [j for j in sorted(plan.jobs, key=lambda j: j.key) if not j.empty]
    head = [
        f"### {_text(summary(plan))}",
        _source(plan),
        *_section("", _table(changed)),
        *_section("#### Replaced, and why", _replaced(changed)),
        *_section("#### Not placed in full", _failures(plan.jobs)),
        *_section("#### Unknown hosts", _unknown(plan)),
        *_section("#### Drift", _drift(plan)),
        *_section("#### Warnings", _warnings(plan.jobs)),
    ]
    room = limit - (len(_omitted(len(changed))) if changed else 0)
    out = _cut("\n\n".join(part for part in head if part) + "\n", room)
    for number, job in enumerate(changed):
        fold = _fold(job)
        if len(out) + len(fold) > room:
            return out + _omitted(len(changed) - number)
        out += fold
    return out


def _source(plan: Plan) -> str:
    commit = f" of `{_code(plan.source.commit[:12])}`" if plan.source.commit else ""
    dirty = ", with changes that are not committed" if plan.source.dirty else ""
    return f"Plan{commit}{dirty} for cluster `{_code(plan.cluster)}` at index {plan.index}."


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        rest = len(lines) - _ROWS
        shown = [*lines[:_ROWS], *([f"\n… and {rest} more"] if rest > 0 else [])]
        yield "\n".join([*([title, ""] if title else []), *shown])


def _table(jobs: Sequence[JobPlan]) -> list[str]:
    if not jobs:
        return []
    counts = {j.key: Counter(c.action for c in j.changes) for j in jobs}
    actions = [a for a in Action if any(c[a] for c in counts.values())]
    heads = ["Job", *(str(a).capitalize() for a in actions), "Hosts"]
    rows = [
        [_text(j.key), *(str(counts[j.key][a] or "") for a in actions), _hosts(j)] for j in jobs
    ]
    rule = ["---", *("---:" for _ in actions), "---"]
    return [_row(heads), _row(rule), *(_row(r) for r in rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _hosts(job: JobPlan) -> str:
    names = sorted({c.node for c in job.changes if c.node and c.action is not Action.IGNORE})
    more = len(names) - _HOSTS
    return ", ".join(_text(n) for n in names[:_HOSTS]) + (f" and {more} more" if more > 0 else "")


def _replaced(jobs: Iterable[JobPlan]) -> list[str]:
    return [
        f"- **{_text(j.key)}** / {_text(g.name)}"
        + (f" / {_text(w.task)}" if w.task else "")
        + f": {_text(w.reason)}"
        for j in jobs
        for g in j.groups
        for w in g.why
        if w.action is Action.DESTRUCTIVE
    ]


def _failures(jobs: Iterable[JobPlan]) -> list[str]:
    return [
        f"- **{_text(j.key)}** / {_text(g.name)}, {g.failure.coalesced_failures + 1} left: "
        + "; ".join(_text(line.removeprefix("* ")) for line in failure_lines(g.failure))
        for j in sorted(jobs, key=lambda j: j.key)
        for g in j.groups
        if g.failure is not None
    ]


def _unknown(plan: Plan) -> list[str]:
    return [f"- {_text(u.host)}: {_text(u.reason)}" for u in plan.unknown]


def _drift(plan: Plan) -> list[str]:
    return [
        f"- {_text(d.name or d.alloc[:8])} on {_text(d.host)}: {_text(d.kind)}"
        + (f", {_text(d.detail)}" if d.detail else "")
        for d in plan.drift
    ]


def _warnings(jobs: Iterable[JobPlan]) -> list[str]:
    named = ((j.key, w) for j in sorted(jobs, key=lambda j: j.key) for w in j.warnings)
    return [f"- **{_text(key)}**: {_text(warning)}" for key, warning in named]


def _fold(job: JobPlan) -> str:
    lines = [clean(line) for line in diff_lines(job.diff, verbose=False, palette=_PLAIN)]
    # a fence longer than any run of backticks in what it holds
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    body = "\n".join([f"{fence}diff", *(_marked(line) for line in lines), fence])
    return f"\n<details><summary>{_html(job.key)}</summary>\n\n{body}\n\n</details>\n"


def _marked(line: str) -> str:
    """Put the mark of a changed line first, where forges look for it to colour the line."""
    bare = line.lstrip(" ")
    mark, space, rest = bare.partition(" ")
    if mark not in ("+", "-", "+/-") or not space:
        return line
    first = "!" if mark == "+/-" else mark
    return f"{first} {' ' * (len(line) - len(bare))}{rest.lstrip(' ')}"


def _omitted(jobs: int) -> str:
    plural = "" if jobs == 1 else "s"
    return f"\nThe diff{plural} of {jobs} job{plural} did not fit; see the output of `orch plan`.\n"


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = "\n… cut off; see the output of `orch plan`.\n"
    return text[: limit - len(note)].rpartition("\n")[0] + note


def _text(words: str) -> str:
    """Escape what would be markup; mentions and references of a forge lose their meaning too."""
    escaped = _SPECIAL.sub(r"\\\1", clean(words))
    return escaped.replace("@", "@\u200b")


def _code(words: str) -> str:
    return clean(words).replace("`", "'")


def _html(words: str) -> str:
    return clean(words).replace("&", "&amp;").replace("<", "&lt;").replace("@", "@\u200b")
