"""Differences between times that a rule gives: how long starts, stops, restarts and waits take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.oracle.report import Compared
from tests.oracle.timelines import rules
from tests.oracle.timelines.chronicle import AllocStory
from tests.oracle.timelines.files import AllocEntry
from tests.oracle.timelines.pairs import Pair, pairs
from tests.oracle.timelines.replay import Scenario

# Seconds by which such a difference may differ.
TOLERANCE = 2.0
# Delays of restarts are stretched by up to a quarter.
_STRETCHED = 0.25
Event = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Took:
    """What a step took, in seconds; `slack` is what it may differ by beside the tolerance."""

    what: str
    seconds: float
    slack: float = 0.0


def times(scenario: Scenario) -> Compared:
    """What each step took, and how soon the next followed."""
    recorded: list[str] = []
    orch: list[str] = []
    for theirs, ours in _measured(scenario):
        told = f"{theirs.what}: {theirs.seconds:.1f} s"
        recorded.append(told)
        close = abs(theirs.seconds - ours.seconds) <= TOLERANCE + theirs.slack
        orch.append(told if close else f"{ours.what}: {ours.seconds:.1f} s")
    return Compared("\n".join(recorded), "\n".join(orch))


def _measured(scenario: Scenario) -> Iterator[tuple[Took, Took]]:
    """What both have of each allocation."""
    found = {p.label: p for p in pairs(scenario) if p.recorded and p.orch}
    for pair in found.values():
        theirs, ours = _recorded_steps(pair, found), _orch_steps(pair, found)
        timed = pair.recorded is not None and rules.is_timed(scenario, pair.recorded)
        for what, took in theirs.items():
            if what in ours and (timed or not what.endswith("healthy after")):
                yield took, ours[what]


def _recorded_steps(pair: Pair, found: dict[str, Pair]) -> dict[str, Took]:
    entry = pair.recorded
    assert entry is not None
    steps = list[Took]()
    for name, events in entry.tasks.items():
        steps += _of_task(f"{pair.label} {name}", [(e.at, e.type) for e in events])
    steps += _of_alloc(pair.label, _changes(entry), _starts(entry))
    before = found.get(entry.previous or "")
    if before is not None and before.recorded is not None:
        steps += _of_next(pair.label, entry.history[0].t, _ends(before.recorded))
    return {s.what: s for s in steps}


def _orch_steps(pair: Pair, found: dict[str, Pair]) -> dict[str, Took]:
    story = pair.orch
    assert story is not None
    steps = list[Took]()
    for name in story.tasks:
        steps += _of_task(f"{pair.label} {name}", [(e.t, e.type) for e in story.events(name)])
    steps += _of_alloc(pair.label, _moments(story), _orch_starts(story))
    before = next(
        (p for p in found.values() if p.orch and p.orch.record.id == story.record.previous), None
    )
    if before is not None and before.orch is not None:
        steps += _of_next(pair.label, story.moments[0].t, _orch_ends(before.orch))
    return {s.what: s for s in steps}


def _of_task(label: str, events: Sequence[Event]) -> Iterator[Took]:
    """Runs, waits between them, and what a kill takes."""
    number = 0
    for (start, kind), (end, after) in pairwise(e for e in events if e[1] != "Alloc Unhealthy"):
        number += kind == "Started"
        match kind, after:
            case "Started", "Terminated":
                yield Took(f"{label} run {number}", end - start)
            case "Restarting", "Started":
                wait = end - start
                yield Took(f"{label} wait {number}", wait, wait * _STRETCHED)
            case "Killing" | "Waiting for shutdown delay", "Terminated":
                yield Took(f"{label} kill", end - start)
            case _:
                continue


def _of_alloc(label: str, changes: Sequence[Event], starts: Sequence[float]) -> Iterator[Took]:
    """How soon it was healthy; how long it was unknown."""
    first = {what: t for t, what in reversed(changes)}
    started = [s for s in starts if s <= first.get("True", -1)]
    if started and "stop" not in [w for t, w in changes if t < first["True"]]:
        yield Took(f"{label} healthy after", first["True"] - started[-1])
    if "unknown" in first and "lost" in first:
        yield Took(f"{label} lost after", first["lost"] - first["unknown"])


def _of_next(label: str, made: float, ends: Sequence[Event]) -> Iterator[Took]:
    """How long after the end of the one before it was made."""
    for end, what in ends:
        yield Took(f"{label} made after the last one {what}", made - end)


def _changes(entry: AllocEntry) -> list[Event]:
    found: list[Event] = []
    for change in entry.history:
        found += [(change.t, w) for w in (change.desired, change.client) if w]
        if change.healthy is not None:
            found.append((change.t, str(change.healthy)))
    return found


def _moments(story: AllocStory) -> list[Event]:
    found: list[Event] = []
    for m in story.moments:
        found += [(m.t, w) for w in (m.desired, m.client, str(m.healthy))]
    return found


def _starts(entry: AllocEntry) -> list[float]:
    return sorted(e.at for events in entry.tasks.values() for e in events if e.type == "Started")


def _orch_starts(story: AllocStory) -> list[float]:
    return sorted(e.t for name in story.tasks for e in story.events(name) if e.type == "Started")


def _ends(entry: AllocEntry) -> list[Event]:
    """When it failed, or nobody knew of it any more."""
    return [(c.t, c.client) for c in entry.history if c.client in ("failed", "unknown")][:1]


def _orch_ends(story: AllocStory) -> list[Event]:
    return [(m.t, m.client) for m in story.moments if m.client in ("failed", "unknown")][:1]
