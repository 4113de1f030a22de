"""From what a person types to one job, allocation or node: exact ids, then unique prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.errors import OrchError
from planner.observed import Node
from planner.recorded import AllocRecord, JobState, Recorded

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An allocation and its job."""

    state: JobState
    alloc: AllocRecord


def job_named(name: str, recorded: Recorded) -> str:
    """Return the key of the job called `name`, or of the only one that begins so."""
    known = {key for key, state in recorded.jobs.items() if state.current is not None}
    if name in known:
        return name
    return _only(name, [k for k in sorted(known) if k.startswith(name)], "job(s)")


def allocs_named(prefix: str, recorded: Recorded) -> list[Found]:
    """Return the allocations whose id begins with `prefix`."""
    return [
        Found(state=state, alloc=alloc)
        for _, state in sorted(recorded.jobs.items())
        for alloc in state.allocs
        if prefix and alloc.id.startswith(prefix)
    ]


def alloc_named(prefix: str, recorded: Recorded) -> Found:
    """Return the only allocation whose id begins with `prefix`."""
    found = {f.alloc.id: f for f in allocs_named(prefix, recorded)}
    return found[_only(prefix, list(found), "allocation(s)")]


def node_named(name: str, nodes: Mapping[str, Node]) -> Node:
    """Return the node with that host name, or whose id or name begins so."""
    if name in nodes:
        return nodes[name]
    matching = [n for n, node in nodes.items() if n.startswith(name) or node.id.startswith(name)]
    return nodes[_only(name, matching, "node(s)", "orch node status")]


def _only(name: str, matching: Iterable[str], what: str, see: str = "orch status") -> str:
    names = list(matching)
    if len(names) == 1:
        return names[0]
    if not names:
        raise OrchError(f'No {what} with prefix or ID "{name}" found', f"See '{see}'.")
    listed = "\n".join(f"  {n}" for n in names[:_SHOWN])
    more = f"\n  … and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise OrchError(
        f'Prefix "{name}" matched multiple {what}\n\n{listed}{more}', "Type more of it."
    )
