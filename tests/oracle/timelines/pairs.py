"""Recorded and replayed allocations, side by side under one label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations

from tests.oracle.timelines import rules
from tests.oracle.timelines.chronicle import AllocStory
from tests.oracle.timelines.files import AllocEntry
from tests.oracle.timelines.replay import Scenario

# Nodes whose names are tried against each other.
_MOST_NODES = 5
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One allocation as it was recorded, and as orch had it; None where one has it not."""

    label: str
    recorded: AllocEntry | None
    orch: AllocStory | None


def pairs(scenario: Scenario) -> list[Pair]:
    """Return all allocations by label, those that only one of the two knows included."""
    recorded = {
        a.alloc: rules.replaced(scenario, a)
        for a in scenario.summary.allocs
        if not rules.is_placed_by_chance(scenario, a)
    }
    stories = list(scenario.chronicle.allocs.values())
    if scenario.tells_nodes_apart:
        names = _renamed(recorded.values(), stories)
        orch = {_relabelled(s.label, names): s for s in stories}
    else:
        orch = _best(recorded, stories, scenario.file.cluster.nodes)
    by_id = {s.record.id: label for label, s in orch.items()}
    return [
        Pair(label=label, recorded=recorded.get(label), orch=orch.get(label))
        for label in sorted({*recorded, *orch})
        if label in recorded or not _goes_on(scenario, orch[label], recorded, by_id)
    ]


def _goes_on(
    scenario: Scenario, story: AllocStory, recorded: Mapping[str, AllocEntry], labels: Names
) -> bool:
    before = recorded.get(labels.get(story.record.previous, ""))
    return rules.goes_on(scenario, story.job, before)


def _best(
    recorded: Mapping[str, AllocEntry], stories: list[AllocStory], nodes: tuple[str, ...]
) -> dict[str, AllocStory]:
    """Nodes are all alike here: theirs and orch's are matched so that most is the same."""
    orders = permutations(nodes) if len(nodes) <= _MOST_NODES else iter([nodes])
    found = (
        {_on_other_node(s.label, dict(zip(nodes, order, strict=True))): s for s in stories}
        for order in orders
    )
    return max(found, key=lambda by_label: sum(_is_like(recorded, *x) for x in by_label.items()))


def _on_other_node(label: str, nodes: Names) -> str:
    name, at, rest = label.partition("@")
    node, _, number = rest.rpartition("#")
    return f"{name}@{nodes.get(node, node)}#{number}" if at else label


def _is_like(recorded: Mapping[str, AllocEntry], label: str, story: AllocStory) -> bool:
    entry, last = recorded.get(label), story.moments[-1]
    if entry is None or entry.version != story.record.job_version:
        return False
    return (entry.desired, entry.client) == (last.desired, last.client)


def _relabelled(label: str, names: Names) -> str:
    name, _, number = label.rpartition("#")
    return f"{names.get(name, name)}#{number}"


def _renamed(recorded: Iterable[AllocEntry], stories: Iterable[AllocStory]) -> Names:
    """Nodes are told apart: indexes are given out so that the first allocations lie as recorded."""
    wanted = _first_by_node((a.alloc, a.node) for a in recorded)
    found = _first_by_node((s.label, s.record.node) for s in stories)
    if {k: len(v) for k, v in wanted.items()} != {k: len(v) for k, v in found.items()}:
        return {}
    return {
        ours: theirs
        for place, names in found.items()
        for ours, theirs in zip(names, wanted[place], strict=True)
    }


def _first_by_node(allocs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Names of the first allocations of each group, by group and node."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for label, node in allocs:
        name, _, number = label.rpartition("#")
        if number == "1" and "@" not in name:
            found[name[: name.rindex("[")], node].append(name)
    return {place: sorted(names) for place, names in found.items()}
