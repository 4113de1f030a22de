"""Making a plan: the desired jobs, the ledger and the fleet come together. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops.jobspec import marks
from gitops.ledger.protocol import Snapshot
from gitops.sealing import Vault
from inventory.variables import suggestion
from planner.annotate import annotated
from planner.capacity import Algorithm, is_live
from planner.codec import to_json
from planner.diff import job_diff
from planner.drift import drift
from planner.errors import OrchError
from planner.evaluate import Situation, plan_jobs
from planner.explanation import Explainer
from planner.job import Job
from planner.job_key import job_key
from planner.nodes import verified
from planner.observed import NodeStatus, Observed
from planner.plan import JobPlan, Plan, UnknownHost
from planner.recorded import AllocRecord, JobState, Recorded
from planner.source import Source
from planner.update_order import UpdateOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What is to run: jobs with the paths of their files.

    `whole` says that these are all jobs of the repository, so that its recorded jobs which are
    not among them have left it. `vault` has the sensitive values of the jobs, `sensitive` the names
    of the variables that they come from. With `targets` no other jobs are planned.
    """

    jobs: tuple[tuple[str, Job], ...]
    source: Source = field(default_factory=Source)
    whole: bool = False
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    vault: Vault = field(default_factory=Vault)
    sensitive: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The ledger and the fleet as they were read for one plan.

    `recorded` has the journals of unfinished runs folded in; `observed` has strangers unknown.
    """

    snapshot: Snapshot
    recorded: Recorded
    observed: Observed
    now: int
    algorithm: Algorithm = Algorithm.BINPACK
    order: UpdateOrder = UpdateOrder.STOP_FIRST

    def situation(self) -> Situation:
        """What the planner reads."""
        return Situation(
            recorded=self.recorded,
            observed=self.observed,
            now=self.now,
            algorithm=self.algorithm,
            order=self.order,
        )


def looked(
    snapshot: Snapshot, observed: Observed, now: int, algorithm: Algorithm = Algorithm.BINPACK
) -> Look:
    """Join what was read; `algorithm` says which hosts score best."""
    recorded = snapshot.folded()
    return Look(
        snapshot=snapshot,
        recorded=recorded,
        observed=verified(observed, recorded),
        now=now,
        algorithm=algorithm,
    )


def told_to_stop(look: Look, allocs: Collection[str]) -> Look:
    """Return the look in which these allocations are to stop, and to be replaced."""
    jobs = {
        key: replace(
            state,
            allocs=tuple(replace(a, migrate=True) if a.id in allocs else a for a in state.allocs),
        )
        for key, state in look.recorded.jobs.items()
        if any(a.id in allocs for a in state.allocs)
    }
    if not jobs:
        return look
    recorded = replace(look.recorded, jobs={**look.recorded.jobs, **jobs})
    return replace(look, recorded=recorded)


def plan_of(desired: Desired, look: Look, cluster: str, explainer: Explainer | None = None) -> Plan:
    """Plan all desired jobs, and the end of those that left the repository.

    An `explainer` sees how the hosts fare.
    """
    left = _left(desired, look) if desired.whole else []
    jobs = _targeted([*desired.jobs, *left], desired.targets)
    _refuse_type_changes(jobs, look.recorded)
    plans = tuple(
        _warned(_keyed(_taken(_guarded(p, look.snapshot), look, desired), look.recorded), desired)
        for p in plan_jobs(jobs, look.situation(), explainer)
    )
    gone = {job_key(j.id, j.namespace) for _, j in left}
    plans = tuple(_deleted(p, look.recorded) if p.key in gone else p for p in plans)
    return Plan(
        cluster=cluster,
        index=look.recorded.index,
        source=desired.source,
        jobs=plans,
        unknown=(*unknown_hosts(look.observed), *_missing_hosts(look)),
        drift=drift(look.situation()),
    )


def unknown_hosts(observed: Observed) -> tuple[UnknownHost, ...]:
    """Return the hosts that could not be observed, with the reason, in name order."""
    return tuple(
        UnknownHost(host=name, reason=node.reason)
        for name, node in sorted(observed.nodes.items())
        if node.status is NodeStatus.UNKNOWN
    )


def _missing_hosts(look: Look) -> tuple[UnknownHost, ...]:
    """Return hosts that run something by record, and that nobody can look at any more."""
    running = {a.node for s in look.recorded.jobs.values() for a in s.allocs if not a.terminal}
    return tuple(
        UnknownHost(host=name, reason="not looked at: -limit, or not in the inventory")
        for name in sorted(running - set(look.observed.nodes))
    )


def stopping(keys: Iterable[str], recorded: Recorded) -> Desired:
    """Return the desired state in which those jobs are stopped."""
    jobs: list[tuple[str, Job]] = []
    for key in keys:
        state = recorded.job(key)
        if state.current is not None:
            jobs.append((state.current.path, replace(state.current.job, stop=True)))
        elif state.allocs:
            # Rebuilt from its hosts, and not applied since: the name is all that is known.
            name, _, namespace = key.rpartition("@") if "@" in key else (key, "", "default")
            jobs.append(("", Job(id=name, name=name, namespace=namespace, stop=True)))
        else:
            raise OrchError(f'No job(s) with prefix or ID "{key}" found')
    return Desired(jobs=tuple(jobs))


def _left(desired: Desired, look: Look) -> list[tuple[str, Job]]:
    """Return the jobs of this repository that it no longer has, as jobs to stop."""
    here = {job_key(j.id, j.namespace) for _, j in desired.jobs}
    return [
        (state.current.path, replace(state.current.job, stop=True))
        for key, state in sorted(look.recorded.jobs.items())
        if key not in here and _owned(state, desired, look.observed) and state.current is not None
    ]


def _deleted(plan: JobPlan, recorded: Recorded) -> JobPlan:
    """Show a job that left the repository as deleted; its file is no place to run it from."""
    version = recorded.job(plan.key).current
    diff = job_diff(version.job if version else None, None)
    return replace(plan, diff=annotated(diff, plan.groups), path="")


def _targeted(jobs: Sequence[tuple[str, Job]], targets: Sequence[str]) -> Sequence[tuple[str, Job]]:
    """Return the jobs that are named, by id or as ``id@namespace``; all where none is."""
    if not targets:
        return jobs
    names = {name for _, job in jobs for name in (job.id, job_key(job.id, job.namespace))}
    for target in targets:
        if target not in names:
            near = suggestion(target, [job.id for _, job in jobs])
            raise OrchError(
                f"-target {target}: there is no such job here{near}",
                "A target is the id of a job in the job files, or of one that has left them.",
            )
    return [
        (path, job)
        for path, job in jobs
        if job.id in targets or job_key(job.id, job.namespace) in targets
    ]


def _refuse_type_changes(jobs: Iterable[tuple[str, Job]], recorded: Recorded) -> None:
    for path, job in jobs:
        version = recorded.job(job_key(job.id, job.namespace)).current
        if version is not None and version.job.type != job.type:
            raise OrchError(
                f"{path}: job {job.id!r} is registered with type {version.job.type!r}; "
                f"a job can't become {job.type!r}",
                f"Give it another id, or run 'orch stop -purge {job.id}' first.",
            )


def _owned(state: JobState, desired: Desired, observed: Observed) -> bool:
    mine = bool(state.repository) and state.repository == desired.source.repository
    # A run that was interrupted may have it still: then it has to be let go.
    left = bool(state.run) or any(_lingers(a, observed) for a in state.allocs)
    return mine and state.current is not None and (left or not state.current.job.stop)


def _lingers(alloc: AllocRecord, observed: Observed) -> bool:
    """Whether one of a job that was stopped may still run, or runs again.

    Its host could not be looked at then, did not answer, or went back to how it was before.
    """
    seen = observed.allocs.get(alloc.id)
    if seen is not None:
        return is_live(seen) or seen.unattended
    return not alloc.client.terminal


def _guarded(plan: JobPlan, snapshot: Snapshot) -> JobPlan:
    # Guards count decisions only: a journal that was folded in for the look is not one.
    state = snapshot.recorded.job(plan.key)
    return replace(
        plan,
        modify_index=state.modify_index,
        job_modify_index=state.job_modify_index,
        held=state.run,
        warnings=(*plan.warnings, *_held_warning(state, snapshot)),
    )


def _held_warning(state: JobState, snapshot: Snapshot) -> tuple[str, ...]:
    if not state.run:
        return ()
    run = snapshot.runs.get(state.run)
    who = f" of {run.info.holder}" if run else ""
    return (
        f"run {state.run[:8]}{who} holds the job; if it was interrupted, an apply goes on with it",
    )


def _taken(plan: JobPlan, look: Look, desired: Desired) -> JobPlan:
    """Warn where another repository has registered the job: one of the two would lose it."""
    theirs, ours = look.recorded.job(plan.key).repository, desired.source.repository
    if not (plan.registers and theirs and ours) or theirs == ours:
        return plan
    told = (
        f"it was registered from the repository {theirs}, and this one is {ours}; if they are the "
        f'same, set repository = "{theirs}" in orch.toml'
    )
    return replace(plan, warnings=(*plan.warnings, told))


def _keyed(plan: JobPlan, recorded: Recorded) -> JobPlan:
    """Warn where sensitive values can't be compared, because their hashes have other keys."""
    current = recorded.job(plan.key).current
    if not plan.registers or plan.job.stop or current is None:
        return plan
    ours, theirs = (marks.key_ids(json.dumps(to_json(j))) for j in (plan.job, current.job))
    if not ours or not theirs or ours == theirs:
        return plan
    told = (
        "its sensitive values were recorded with another ORCH_KEY: whether they have changed can't "
        "be told, so they count as changed"
    )
    return replace(plan, warnings=(*plan.warnings, told))


def _warned(plan: JobPlan, desired: Desired) -> JobPlan:
    more = desired.warnings.get(plan.key, ())
    return replace(plan, warnings=(*more, *plan.warnings)) if more else plan
