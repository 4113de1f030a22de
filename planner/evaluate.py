"""One look at jobs: desired, recorded and observed state in, their plans out. Does no IO."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from planner.annotate import annotated
from planner.capacity import Algorithm, Fleet, fleet
from planner.diff import job_diff
from planner.errors import OrchError
from planner.explanation import Explainer
from planner.group_case import Decision, GroupCase, without_ended
from planner.job import Job, TaskGroup
from planner.job_key import job_key
from planner.lost import crowded
from planner.observed import Observed
from planner.occupancy import Occupancy
from planner.place import Chooser, InPlace, placed_groups
from planner.plan import JobPlan
from planner.reconcile import reconciled
from planner.recorded import DeploymentStatus, Recorded
from planner.schedule import Ranking
from planner.standing import Pile, Standing, View, standing
from planner.system import TYPES, reconciled_by_node
from planner.update_order import UpdateOrder
from planner.way_back import taken_back
from planner.why import why


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a plan is made from beside the specs; `now` in ns since the epoch."""

    recorded: Recorded
    observed: Observed
    now: int
    algorithm: Algorithm = Algorithm.BINPACK
    order: UpdateOrder = UpdateOrder.STOP_FIRST


def plan_job(
    job: Job,
    situation: Situation,
    *,
    path: str = "",
    occupancy: Occupancy | None = None,
    choose: Chooser = Ranking.place,
) -> JobPlan:
    """Return what has to change so that `job` runs as its spec says; ``job.stop`` ends it.

    With an `occupancy` that is kept from plan to plan only what changed is counted anew. `choose`
    takes a node for each allocation that needs one: the best, unless told otherwise.
    """
    observed = _with_eligibility(situation)
    loads = (occupancy or Occupancy()).fleet(situation.recorded, observed)
    loads.algorithm = situation.algorithm
    with loads.trial():
        return _planned(path, _view(job, situation, observed), loads, choose)


def plan_jobs(
    jobs: Sequence[tuple[str, Job]], situation: Situation, explainer: Explainer | None = None
) -> tuple[JobPlan, ...]:
    """Plan several (path, job) together: later ones see the room and ports that earlier ones take.

    They are planned, and their plans returned, by priority (highest first), then by key. An
    `explainer` watches where allocations are placed. Raises OrchError where two files have the
    same job.
    """
    _refuse_doubles(jobs)
    observed = _with_eligibility(situation)
    loads = fleet(situation.recorded, observed)
    loads.algorithm = situation.algorithm
    ordered = sorted(jobs, key=lambda pair: (-pair[1].priority, _key(pair[1])))
    views = ((path, _view(job, situation, observed)) for path, job in ordered)
    return tuple(
        _planned(path, view, loads, _chooser(view.job, loads, explainer)) for path, view in views
    )


def _chooser(job: Job, loads: Fleet, explainer: Explainer | None) -> Chooser:
    return partial(explainer.choose, loads, job) if explainer else Ranking.place


def _key(job: Job) -> str:
    return job_key(job.id, job.namespace)


def _refuse_doubles(jobs: Iterable[tuple[str, Job]]) -> None:
    paths: dict[str, str] = {}
    for path, job in jobs:
        first = paths.setdefault(_key(job), path)
        if first != path:
            raise OrchError(
                f"job {_key(job)!r} is in two files: {first} and {path}",
                "rename one of the jobs, or remove one of the files",
            )


def _with_eligibility(situation: Situation) -> Observed:
    """Return the observed state in which a node is only eligible if it is also recorded so.

    One that was lost takes nothing before what was replaced elsewhere is stopped there.
    """
    records = situation.recorded.nodes
    barred = {n.name for n in records.values() if not n.eligible}
    barred |= crowded(situation.observed, situation.recorded)
    nodes = situation.observed.nodes
    changed = {n: replace(nodes[n], eligible=False) for n in barred if n in nodes}
    return (
        replace(situation.observed, nodes={**nodes, **changed}) if changed else situation.observed
    )


def _view(job: Job, situation: Situation, observed: Observed) -> View:
    state = situation.recorded.job(_key(job))
    current = state.current
    registers = current.job != job if current else not job.stop
    return View(
        job=job,
        state=state,
        observed=observed,
        now=situation.now,
        registers=registers,
        order=situation.order,
    )


def _planned(path: str, view: View, loads: Fleet, choose: Chooser) -> JobPlan:
    job, state = view.job, view.state
    in_place = InPlace(view=view, fleet=loads, choose=choose)
    placed = placed_groups(_decided(view, in_place.obstacle), view, in_place)
    groups = tuple(replace(g, why=why(g, job, state)) for g in placed)
    old = state.current.job if state.current else None
    return JobPlan(
        key=_key(job),
        job=job,
        diff=annotated(job_diff(old, job), groups),
        groups=groups,
        job_modify_index=state.job_modify_index,
        modify_index=state.modify_index,
        registers=view.registers,
        warnings=tuple(_warnings(view)),
        path=path,
        resumes=_deployment(view, DeploymentStatus.RUNNING),
        failed=_deployment(view, DeploymentStatus.FAILED),
        paused=_deployment(view, DeploymentStatus.PAUSED),
        migrates=tuple(sorted(a.id for a in state.allocs if a.migrate and not a.terminal)),
        reschedules=tuple(sorted(a.id for a in state.allocs if a.force_reschedule)),
        asked=tuple(r.id for r in state.requests),
    )


def _deployment(view: View, status: DeploymentStatus) -> str:
    """Return the id of the spec's deployment if that is its status."""
    deployment = view.deployment
    return deployment.id if deployment is not None and deployment.status is status else ""


def _warnings(view: View) -> Iterator[str]:
    if failed := _deployment(view, DeploymentStatus.FAILED):
        yield (
            f"deployment {failed[:8]} has failed, and is not tried again until the spec changes; "
            "or stop the job and run it again"
        )
    if paused := _deployment(view, DeploymentStatus.PAUSED):
        short = paused[:8]
        yield f"deployment {short} is paused: 'orch deployment resume {short}' goes on with it"
    if view.registers and (tried := taken_back(view.state, view.job)) is not None:
        yield (
            f"this very spec has failed as version {tried.version}, and was taken back; an apply "
            f"tries it again: 'orch history {view.state.key}' and 'orch job deployments "
            f"{view.state.key}' tell what it was"
        )


def _decided(
    view: View, blocks_in_place: Callable[[TaskGroup, Standing], str]
) -> dict[str, tuple[Decision, ...]]:
    """Reconcile each group: those of the spec in its order, then those that are gone."""
    standings: dict[str, list[Standing]] = {g.name: [] for g in view.job.task_groups}
    gone: dict[str, list[Standing]] = {}
    for record in sorted(view.state.allocs, key=lambda a: (a.group, a.id)):
        judged = standing(view, record)
        if judged.pile is not Pile.GONE:
            by_group = standings if record.group in standings else gone
            by_group.setdefault(record.group, []).append(judged)
    cases = (
        GroupCase(view=view, name=name, standings=tuple(found), blocks_in_place=blocks_in_place)
        for name, found in (standings | gone).items()
    )
    decide = reconciled_by_node if view.job.type in TYPES else reconciled
    return {case.name: without_ended(case, decide(case)) for case in cases}
