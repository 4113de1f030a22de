"""From what a person types to one job, allocation or node: exact ids, then unique prefixes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gitops.view.columns import table
from gitops.view.job_text import job_list
from planner.errors import OrchError
from planner.node_record import NodeRecord
from planner.observed import Node
from planner.recorded import AllocRecord, Deployment, Evaluation, JobState, Recorded
from planner.status import statuses

_SHOWN = 10
_SHORTEST = 2
_SERVICE = "service"


class Kind(StrEnum):
    """What an id can be of."""

    JOB = "job"
    ALLOC = "allocation"
    NODE = "node"
    DEPLOYMENT = "deployment"
    EVALUATION = "evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An allocation and its job."""

    state: JobState
    alloc: AllocRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One thing that is meant: a job's key, a host's name, or an id in full."""

    kind: Kind
    id: str


def resolved(name: str, recorded: Recorded) -> Match:
    """Return what is meant, whatever its kind; a job's whole name comes before all prefixes."""
    if name in _jobs(recorded):
        return Match(kind=Kind.JOB, id=name)
    found = [Match(kind=k, id=it) for k, find in _FIND.items() for it in find(name, recorded)]
    if len(found) == 1:
        return found[0]
    kinds = {m.kind for m in found}
    if not kinds or kinds == {Kind.JOB}:
        raise _no_single_job(name, [m.id for m in found], recorded)
    if len(kinds) == 1:
        _only(name, [m.id for m in found], kinds.pop())
    rows = [(m.kind, m.id) for m in found[:_SHOWN]]
    raise _ambiguous(name, "ids", [*table(("Kind", "ID"), rows), *_more(len(found))])


def job_named(name: str, recorded: Recorded) -> str:
    """Return the key of the job called `name`, or of the only one that begins so."""
    known = _jobs(recorded)
    if name in known:
        return name
    matching = [k for k in known if k.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    raise _no_single_job(name, matching, recorded)


def allocs_named(prefix: str, recorded: Recorded) -> list[Found]:
    """Return the allocations whose id begins with `prefix`."""
    return [
        Found(state=state, alloc=alloc)
        for state in _states(recorded)
        for alloc in state.allocs
        if prefix and alloc.id.startswith(prefix)
    ]


def alloc_named(prefix: str, recorded: Recorded) -> Found:
    """Return the only allocation whose id begins with `prefix`."""
    found = {f.alloc.id: f for f in allocs_named(_long_enough(prefix), recorded)}
    if len(found) > 1:
        rows = [(f.alloc.id, f.state.key, f.alloc.group, f.alloc.client) for f in found.values()]
        lines = table(("ID", "Job ID", "Task Group", "Status"), rows[:_SHOWN])
        raise _ambiguous(prefix, "allocations", [*lines, *_more(len(rows))])
    return found[_only(prefix, list(found), Kind.ALLOC)]


def deployment_named(prefix: str, recorded: Recorded) -> tuple[JobState, Deployment]:
    """Return the only deployment whose id begins with `prefix`, and its job."""
    found = {d.id: (s, d) for s in _states(recorded) for d in s.deployments}
    matching = [i for i in found if i.startswith(_long_enough(prefix))]
    return found[_only(prefix, matching, Kind.DEPLOYMENT)]


def evaluation_named(prefix: str, recorded: Recorded) -> tuple[JobState, Evaluation]:
    """Return the only evaluation whose id begins with `prefix`, and its job."""
    found = {e.id: (s, e) for s in _states(recorded) for e in s.evaluations}
    matching = [i for i in found if i.startswith(_long_enough(prefix))]
    return found[_only(prefix, matching, Kind.EVALUATION)]


def node_named(name: str, nodes: Mapping[str, Node]) -> Node:
    """Return the node with that host name, or whose id or name begins so."""
    if name in nodes:
        return nodes[name]
    matching = [n for n, node in nodes.items() if n.startswith(name) or node.id.startswith(name)]
    return nodes[_only(name, matching, Kind.NODE)]


def node_record_named(name: str, recorded: Recorded) -> NodeRecord:
    """Return the enrolled node with that host name, or whose id or name begins so."""
    return recorded.nodes[_only(name, _named_nodes(name, recorded), Kind.NODE)]


def service_named(name: str, services: Collection[str]) -> str:
    """Return the service called `name`, or the only one that begins so."""
    if name in services:
        return name
    return _only(name, sorted(s for s in services if s.startswith(name)), _SERVICE)


def _states(recorded: Recorded) -> list[JobState]:
    return [state for _, state in sorted(recorded.jobs.items())]


def _jobs(recorded: Recorded) -> list[str]:
    # A job without a version is a purged one, or one that was rebuilt from what its hosts know.
    return [s.key for s in _states(recorded) if s.current is not None or s.allocs]


def _long_enough(prefix: str) -> str:
    if len(prefix) < _SHORTEST:
        raise OrchError("Identifier must contain at least two characters.", "See 'orch status'.")
    return prefix


def _starting(ids: Callable[[Recorded], Iterable[str]]) -> Callable[[str, Recorded], list[str]]:
    return lambda name, recorded: [i for i in ids(recorded) if i.startswith(name)]


def _named_nodes(name: str, recorded: Recorded) -> list[str]:
    if name in recorded.nodes:
        return [name]
    nodes = sorted(recorded.nodes.items())
    return [n for n, node in nodes if n.startswith(name) or node.id.startswith(name)]


_FIND: Mapping[Kind, Callable[[str, Recorded], list[str]]] = {
    Kind.JOB: _starting(_jobs),
    Kind.ALLOC: _starting(lambda r: [a.id for s in _states(r) for a in s.allocs]),
    Kind.NODE: _named_nodes,
    Kind.DEPLOYMENT: _starting(lambda r: [d.id for s in _states(r) for d in s.deployments]),
    Kind.EVALUATION: _starting(lambda r: [e.id for s in _states(r) for e in s.evaluations]),
}
# How Nomad asks for each kind, and the command that lists them.
_WORDS: Mapping[str, tuple[str, str]] = {
    Kind.ALLOC: ("allocation(s) with prefix or id", "orch status"),
    Kind.NODE: ("node(s) with prefix", "orch node status"),
    Kind.DEPLOYMENT: ("deployment(s) with prefix or id", "orch deployment list"),
    Kind.EVALUATION: ("evaluation(s) with prefix or id", "orch eval list"),
    _SERVICE: ("service(s) with prefix or name", "orch service list"),
}


def _only(name: str, matching: Sequence[str], kind: str) -> str:
    if len(matching) == 1:
        return matching[0]
    words, see = _WORDS[kind]
    if not matching:
        raise OrchError(f'No {words} "{name}" found', f"See '{see}'.")
    lines = [f"  {m}" for m in matching[:_SHOWN]]
    raise _ambiguous(name, f"{kind}s", [*lines, *_more(len(matching))])


def _no_single_job(name: str, matching: Sequence[str], recorded: Recorded) -> OrchError:
    if not matching:
        return OrchError(f'No job(s) with prefix or ID "{name}" found', "See 'orch status'.")
    states = [recorded.job(key) for key in matching[:_SHOWN]]
    lines = job_list([(s, statuses(s, None)) for s in states]).splitlines()
    return _ambiguous(name, "jobs", [*lines, *_more(len(matching))])


def _ambiguous(name: str, what: str, lines: Iterable[str]) -> OrchError:
    listed = "\n".join(lines)
    return OrchError(f'Prefix "{name}" matched multiple {what}\n\n{listed}', "Type more of it.")


def _more(number: int) -> list[str]:
    return [f"  … and {number - _SHOWN} more"] if number > _SHOWN else []
