"""What is compared of a replayed scenario: allocations, their histories and tasks, deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tests.oracle.report import Compared
from tests.oracle.timelines import rules, times
from tests.oracle.timelines.chronicle import AllocMoment, AllocStory, DeploymentStory
from tests.oracle.timelines.files import AllocEntry, DeploymentEntry
from tests.oracle.timelines.pairs import Pair, pairs
from tests.oracle.timelines.replay import Scenario
from tests.oracle.timelines.tracks import SEEN, agree, loops_alike, spans

Line = tuple[str, str]
_UNHEALTHY = "Alloc Unhealthy"
_RESTARTS = ("Started", "Terminated", "Restarting")
_UP_AND_DOWN = ("running", "pending")


def _compared(lines: Iterable[Line]) -> Compared:
    found = list(lines)
    return Compared("\n".join(r for r, _ in found), "\n".join(o for _, o in found))


def allocs(scenario: Scenario) -> Compared:
    """The same allocations, with the same end."""
    return _compared(_end(scenario, p) for p in pairs(scenario))


def _end(scenario: Scenario, pair: Pair) -> Line:
    theirs, ours = pair.recorded, pair.orch
    recorded = orch = f"{pair.label} is not there"
    if theirs is not None:
        tries = " canary" if theirs.canary else ""
        state = f"{theirs.desired} {theirs.desired_description!r}, {theirs.client}"
        recorded = f"{pair.label} v{theirs.version}{tries}: {state}"
    if ours is not None:
        until = rules.purged_at(scenario, theirs) if theirs else float("inf")
        tries = " canary" if ours.record.canary else ""
        ends = [
            f"{pair.label} v{m.version}{tries}: {m.desired} {m.description!r}, {client}"
            for m in _last(ours, min(until, scenario.file.duration_s))
            for client in _clients(m.client, pair)
        ]
        orch = recorded if recorded in ends else ends[-1]
    return recorded, orch


def _last(story: AllocStory, end: float) -> list[AllocMoment]:
    """How it was when the recording ended, and a bit before and after."""
    at_end = [m for m in story.moments if m.t <= end - SEEN][-1:]
    around = [m for m in story.moments if end - SEEN < m.t <= end + SEEN]
    return [*at_end, *around] or story.moments[:1]


def _clients(orch: str, pair: Pair) -> list[str]:
    found = pair.recorded.client if pair.recorded else orch
    return [orch, found] if _restarts(found, orch, pair) else [orch]


def _restarts(recorded: str, orch: str, pair: Pair) -> bool:
    """Whether it was just going up or down when the recording ended."""
    if not {recorded, orch} <= set(_UP_AND_DOWN) or pair.recorded is None:
        return False
    return any(e.type == "Restarting" for t in pair.recorded.tasks.values() for e in t)


def history(scenario: Scenario) -> Compared:
    """What became of each, in the same order."""
    both = (p for p in pairs(scenario) if p.recorded and p.orch)
    return _compared(line for p in both for line in _tracks(scenario, p))


def _tracks(scenario: Scenario, pair: Pair) -> Iterator[Line]:
    entry, story = pair.recorded, pair.orch
    assert entry is not None
    assert story is not None
    theirs = _recorded_tracks(scenario, entry)
    ours = _orch_tracks(story, rules.purged_at(scenario, entry))
    if not rules.is_watched(scenario, entry):
        del theirs["health"]
    for name, recorded in theirs.items():
        told = f"{pair.label} {name}: {' → '.join(recorded)}"
        track = spans(ours[name], scenario.end)
        orch = [s.what for s in track]
        late = _late(scenario, entry, name)
        same = agree(recorded, track, late) or loops_alike(recorded, orch, _UP_AND_DOWN)
        if name == "health":
            same = same or orch == [*recorded, *_at_the_stop(entry)]
        yield told, told if same else f"{pair.label} {name}: {' → '.join(orch)}"


def _recorded_tracks(scenario: Scenario, entry: AllocEntry) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"desired": [], "client": [], "health": []}
    delayed = rules.is_delayed(scenario, entry)
    until = rules.watched_until(scenario, entry)
    for change in entry.history:
        stops = "stop" in found["desired"]
        if change.desired is not None:
            found["desired"].append(change.desired)
        if change.client is not None and not (stops and delayed and change.client == "pending"):
            found["client"].append(change.client)
        # What it was found to be while it stopped is left to chance.
        told = "healthy" in change.model_fields_set and change.t <= until
        if told and not stops and change.desired != "stop":
            found["health"].append(str(change.healthy))
    return found


def _late(scenario: Scenario, entry: AllocEntry, name: str) -> int:
    """How many changes of one kind came just before the recording ended."""
    after = scenario.file.duration_s - SEEN
    fields = {"desired": "desired", "client": "client", "health": "healthy"}
    return sum(c.t > after and fields[name] in c.model_fields_set for c in entry.history)


def _at_the_stop(entry: AllocEntry) -> list[str]:
    """What was found of its health at the very moment at which it was told to stop."""
    return [str(c.healthy) for c in entry.history if c.desired == "stop" and c.healthy is not None]


def _orch_tracks(story: AllocStory, until: float) -> dict[str, list[tuple[float, str]]]:
    health: list[tuple[float, str]] = []
    moments = [m for m in story.moments if m.t <= until]
    for m in moments:
        if m.desired == "run" and (m.healthy is not None or health):
            health.append((m.t, str(m.healthy)))
    return {
        "desired": [(m.t, m.desired) for m in moments],
        "client": [(m.t, m.client) for m in moments],
        "health": health,
    }


def tasks(scenario: Scenario) -> Compared:
    """The same events of each task, in the same order."""
    both = (p for p in pairs(scenario) if p.recorded and p.orch)
    return _compared(line for p in both for line in _events(scenario, p))


def _events(scenario: Scenario, pair: Pair) -> Iterator[Line]:
    entry, story = pair.recorded, pair.orch
    assert entry is not None
    assert story is not None
    until = rules.purged_at(scenario, entry)
    for name, recorded in entry.tasks.items():
        theirs = rules.events(scenario, [e.type for e in recorded])
        ours = [e.type for e in story.events(name) if e.t <= until]
        told = f"{pair.label} {name}: {', '.join(theirs)}"
        if entry.healthy is False and _UNHEALTHY not in theirs:
            # It was told of the allocation, and of its tasks too late.
            ours = [e for e in ours if e != _UNHEALTHY]
        yield told, told if _alike(theirs, ours) else f"{pair.label} {name}: {', '.join(ours)}"


def _alike(recorded: Sequence[str], orch: Sequence[str]) -> bool:
    # A verdict on health falls anywhere between restarts.
    if (_UNHEALTHY in recorded) != (_UNHEALTHY in orch):
        return False
    theirs, ours = ([e for e in s if e != _UNHEALTHY] for s in (recorded, orch))
    return theirs == ours or loops_alike(theirs, ours, _RESTARTS)


def deployments(scenario: Scenario) -> Compared:
    """The same deployments in the same order, each with what it said of itself."""
    theirs = rules.deployments(scenario)
    ours = list(scenario.chronicle.deployments.values())
    return _compared(
        _deployed(number, theirs[number - 1 : number], ours[number - 1 : number], scenario)
        for number in range(1, max(len(theirs), len(ours)) + 1)
    )


def _deployed(
    number: int,
    recorded: Sequence[DeploymentEntry],
    orch: Sequence[DeploymentStory],
    scenario: Scenario,
) -> Line:
    told = shown = f"D{number} is not there"
    history: list[str] = []
    for entry in recorded:
        history = _said_in_turn(entry)
        told = f"D{number} {entry.job} v{entry.version}: {' → '.join(history)}"
    for story in orch:
        moments = [(m.t, _said(m.status, m.description)) for m in story.moments]
        found = spans(moments, scenario.end)
        shown = f"D{number} {story.job} v{story.version}: {' → '.join(s.what for s in found)}"
        ends = [s.what for s in found[:-1]] == history and _is_done(recorded)
        if (ends or agree(history, found)) and told.startswith(
            f"D{number} {story.job} v{story.version}:"
        ):
            shown = told
    return told, shown


def _is_done(recorded: Sequence[DeploymentEntry]) -> bool:
    """Whether all was healthy when the recording ended, so that only the word was missing."""
    return all(
        g.healthy >= g.desired_total > 0 and (g.promoted or not g.desired_canaries)
        for d in recorded
        for g in d.groups.values()
    )


def _said_in_turn(entry: DeploymentEntry) -> list[str]:
    status = description = ""
    found: list[str] = []
    for change in entry.history:
        status, description = change.status or status, change.description or description
        found.append(_said(status, description))
    return found


def _said(status: str, description: str) -> str:
    return f"{status} {description!r}"


CHECKS: Mapping[str, Callable[[Scenario], Compared]] = {
    "allocs": allocs,
    "history": history,
    "tasks": tasks,
    "deployments": deployments,
    "times": times.times,
}
