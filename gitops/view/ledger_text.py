"""The ledger's place, its runs, its trials and its losses, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Literal

from gitops.ledger.check import Trial
from gitops.ledger.protocol import RunHead
from gitops.ledger.repair import SHOWN, Finding
from gitops.view.columns import pairs, table
from gitops.view.moment import ago, timestamp
from gitops.view.names import few
from gitops.view.safe import clean

_SECOND = 1_000_000_000
_LISTED = 20
_SHORT = 8
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The ledger, or a run with the jobs that it holds; `started` is in ns."""

    name: str
    role: str
    status: str
    started: int = 0
    jobs: tuple[str, ...] = ()


def members(found: Sequence[Member], now: int) -> str:
    """Return the table of what takes the place of servers."""
    rows = [
        (m.name, m.role, m.status, ago(m.started, now) if m.started else "", few(m.jobs, _NAMED))
        for m in found
    ]
    return "\n".join([*table(("Name", "Role", "Status", "Started", "Jobs"), rows), ""])


def status(facts: Mapping[str, object], runs: Sequence[RunHead], now: int) -> str:
    """Return the facts, and a table of the runs in progress."""
    lines = pairs(facts.items())
    if not runs:
        return "\n".join([*lines, "", "No run in progress\n"])
    rows = [_run(run, now) for run in sorted(runs, key=lambda r: (r.info.started, r.id))]
    header = ("ID", "Holder", "Started", "Jobs", "Last Entry")
    return "\n".join([*lines, "", "Runs in progress", *table(header, rows), ""])


def _run(run: RunHead, now: int) -> tuple[str, ...]:
    last = "none yet"
    if run.entries:
        entry = run.entries[-1]
        last = f"{len(run.entries)}: {entry.kind}, {ago(entry.time, now)}"
    if run.sealed_by:
        last += f", taken over by {run.sealed_by[:_SHORT]}"
    jobs = ", ".join(run.info.jobs)
    return run.id[:_SHORT], run.info.holder, ago(run.info.started, now), jobs, last


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A run, whether it lives, and the jobs that it holds."""

    run: RunHead
    status: str
    jobs: tuple[str, ...] = ()


def locks(found: Sequence[Lock], orphans: Sequence[str], now: int) -> str:
    """Return each run with its holder, commit and last entry; `orphans` are jobs without one."""
    lines = [line for lock in found for line in (*_lock(lock, now), "")]
    if orphans:
        held = few(orphans, _NAMED)
        lines += [f"Held by runs that have left no journal: {held}; an apply goes on with them", ""]
    return "\n".join(lines) if lines else "No run holds a job\n"


def _lock(lock: Lock, now: int) -> list[str]:
    info = lock.run.info
    _, _, _, _, last = _run(lock.run, now)
    return pairs(
        [
            ("Run", info.id[:_SHORT]),
            ("Holder", info.holder),
            ("Status", lock.status),
            ("Started", ago(info.started, now)),
            ("Commit", info.commit[:_SHORT] or "none"),
            ("Jobs", few(lock.jobs, _NAMED) or "none"),
            ("Last Entry", last),
        ]
    )


def result(trial: Trial) -> Literal["ok", "failed", "not tried"]:
    """Return the one word for how a trial went."""
    if not trial.tried:
        return "not tried"
    return "ok" if trial.passed else "failed"


def check(place: str, trials: Sequence[Trial]) -> str:
    """Return each trial with its result, and what to do about those that failed."""
    lines = [f"Ledger {clean(place)}", "", *table(("Trial", "Result"), map(_row, trials))]
    for trial in trials:
        if trial.error is not None:
            lines += ["", f"{trial.name}: {clean(trial.error.message)}"]
            lines += [indent(clean(trial.error.hint), "  ")] if trial.error.hint else []
    return "\n".join([*lines, ""])


def _row(trial: Trial) -> tuple[str, str]:
    return trial.name, result(trial)


def losses(found: Finding) -> str:
    """Return what is gone of what was seen here."""
    here = f"index {found.meta.index} ({found.head[:12]})" if found.meta else "empty"
    seen = f"index {found.seen.index} ({found.seen.head[:12]})" if found.seen else "nothing"
    lines = pairs([("Seen here before", seen), ("Now", here)])
    if not found.lost:
        return "\n".join([*lines, "", f"{found.problem or 'Nothing is lost.'}\n"])
    rows = [
        (d.index, timestamp(d.time * _SECOND), d.who, d.message.partition("\n")[0])
        for d in found.lost[:_LISTED]
    ]
    more = len(found.lost) - _LISTED
    lines += ["", "Decisions that are gone", *table(("Index", "Time", "By", "Decision"), rows)]
    if more > 0:
        lines.append(f"… and {more}{' or more' if len(found.lost) == SHOWN else ''} before these")
    return "\n".join([*lines, ""])
