"""Why each host was taken or left out: the first thing that rules it out, or its scores. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from planner.capacity import Fleet, Load, asked
from planner.feasible import MISSING_DRIVERS, is_candidate
from planner.job import Job, TaskGroup
from planner.job_key import job_key
from planner.node_score import NodeScore
from planner.observed import Node, NodeStatus
from planner.schedule import Placement, Ranking, Wanted

_UNITS = {"cpu": "MHz", "memory": "MB", "disk": "MB", "cores": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """One reason, and the hosts that it keeps the group off, in name order."""

    reason: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All hosts as one placement of a group found them.

    `name` is the allocation's; `node` where it goes, or empty. `scores` has the hosts that can have
    it, best first; `ruled_out` all others, the commonest reason first.
    """

    job: str
    group: str
    name: str
    node: str = ""
    scores: tuple[NodeScore, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()


@dataclass(slots=True)
class Explainer:
    """Watches placements: of each group it explains the first one, or the first that fails.

    Of a group of which every node is to have its own, all nodes are explained together.
    """

    found: dict[tuple[str, str], Explanation] = field(
        default_factory=dict[tuple[str, str], Explanation]
    )

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """What was found, by job and group."""
        return tuple(found for _, found in sorted(self.found.items()))

    def choose(self, fleet: Fleet, job: Job, ranking: Ranking, wanted: Wanted) -> Placement | None:
        """Place on the best node, as it would be done anyway, and keep what was seen."""
        key = (job_key(job.id, job.namespace), ranking.group.name)
        known = self.found.get(key)
        seen = None
        if known is None or wanted.only:
            seen = self._seen(fleet, job, ranking, wanted)
        placement = ranking.place(wanted)
        if seen is None and placement is None and known is not None and known.node:
            seen = self._seen(fleet, job, ranking, wanted)
        if seen is not None:
            taken = replace(seen, node=placement.node if placement else "")
            self.found[key] = _joined(known, taken) if known and wanted.only else taken
        return placement

    def _seen(self, fleet: Fleet, job: Job, ranking: Ranking, wanted: Wanted) -> Explanation:
        scores: list[NodeScore] = []
        reasons: dict[str, list[str]] = {}
        for name, load in sorted(fleet.loads.items()):
            if wanted.only and name != wanted.only and not _left_out(job, load.node):
                continue
            reason = _obstacle(job, ranking, load)
            score = None if reason else ranking.score(name, wanted)
            if score is None:
                reasons.setdefault(reason, []).append(name)
            else:
                scores.append(score)
        return Explanation(
            job=job_key(job.id, job.namespace),
            group=ranking.group.name,
            name=wanted.name,
            scores=_ranked(scores),
            ruled_out=_ruled_out(reasons),
        )


def _ranked(scores: Iterable[NodeScore]) -> tuple[NodeScore, ...]:
    return tuple(sorted(scores, key=lambda s: (-s.final, s.node)))


def _ruled_out(reasons: dict[str, list[str]]) -> tuple[RuledOut, ...]:
    found = (RuledOut(reason=r, hosts=tuple(sorted(set(h)))) for r, h in reasons.items())
    return tuple(sorted(found, key=lambda r: (-len(r.hosts), r.reason)))


def _joined(one: Explanation, two: Explanation) -> Explanation:
    reasons: dict[str, list[str]] = {}
    for ruled in (*one.ruled_out, *two.ruled_out):
        reasons.setdefault(ruled.reason, []).extend(ruled.hosts)
    return replace(
        one,
        node=one.node or two.node,
        scores=_ranked((*one.scores, *two.scores)),
        ruled_out=_ruled_out(reasons),
    )


def _obstacle(job: Job, ranking: Ranking, load: Load) -> str:
    """Return the first thing that keeps the group off a node, in words; or an empty string."""
    left_out = _left_out(job, load.node)
    if left_out:
        return left_out
    found = ranking.obstacle_now(load).strip()
    if found == MISSING_DRIVERS:
        return f"{found}: {', '.join(_missing_drivers(ranking.group, load.node))}"
    if found in _UNITS:
        return _exhausted(found, ranking.group, load)
    return found


def _left_out(job: Job, node: Node) -> str:
    if node.status is not NodeStatus.READY:
        return f"{node.status}: {node.reason}" if node.reason else str(node.status)
    if not node.eligible:
        return "not eligible"
    if is_candidate(job, node):
        return ""
    if job.node_pool not in ("all", node.node_pool):
        return f"not in node pool {job.node_pool} but in {node.node_pool}"
    return f"datacenter {node.datacenter} is none of {', '.join(job.datacenters)}"


def _missing_drivers(group: TaskGroup, node: Node) -> Iterator[str]:
    yield from sorted({t.driver for t in group.tasks} - node.drivers)


def _exhausted(dimension: str, group: TaskGroup, load: Load) -> str:
    ask = asked(group)
    wanted = {
        "cpu": load.cpu_of(ask),
        "memory": ask.memory_mb,
        "disk": ask.disk_mb,
        "cores": ask.cores,
    }
    amount = f"{wanted[dimension]} {_UNITS[dimension]}".strip()
    return f"{dimension} exhausted: {amount} wanted"
