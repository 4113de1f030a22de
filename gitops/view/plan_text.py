"""A plan as text: each job's diff in Nomad's layout, then what orch adds. Decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from gitops.view.columns import wrapped_table
from gitops.view.diff_text import diff_lines
from gitops.view.failure_text import failure_lines, failure_title
from gitops.view.palette import Palette
from gitops.view.placements import placement_lines, score_lines
from gitops.view.safe import clean
from gitops.view.summary_text import no_changes, summary, table_lines, unchanged_lines
from gitops.view.why_text import explanation_lines, why_lines
from planner.action import Action
from planner.explanation import Explanation
from planner.plan import JobPlan, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """How a plan is shown.

    `flags` are what the suggested command repeats, quoted for a shell; `run` and `apply` are the
    words that start the command for one job and for all of them.
    """

    verbose: bool = False
    colour: bool = False
    flags: tuple[str, ...] = ()
    # the file that the plan is saved in, if it is
    saved: str = ""
    # off where the command that follows is already under way
    advises: bool = True
    run: str = "orch run"
    apply: str = "orch apply"
    # how the hosts fared in placements, where that was asked for
    explanations: tuple[Explanation, ...] = ()
    # what is only supposed, and not so
    supposed: tuple[str, ...] = ()

    @property
    def palette(self) -> Palette:
        """The colours, if any."""
        return Palette(self.colour)


DEFAULT = PlanView()


def text(plan: Plan, view: PlanView = DEFAULT) -> str:
    """Return the whole plan, ending in a newline.

    One job is always shown in full. Of several, those without changes get one line each, or one
    line for many (unless verbose), and a table of those that change closes the plan.
    """
    sections = _one(plan, view) if len(plan.jobs) == 1 else _many(plan, view)
    if view.supposed:
        sections.insert(0, [supposition(view.supposed)])
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def supposition(supposed: Sequence[str]) -> str:
    """Return the line that says of a plan that it is about what is only supposed."""
    told = clean(", and ".join(supposed))
    return f"What if {told}? This plan is not about what is so, and can't be applied."


def _one(plan: Plan, view: PlanView) -> list[list[str]]:
    job = plan.jobs[0]
    ending = [no_changes(plan)] if plan.empty else []
    return [
        *_job(job, view),
        *_hosts(plan, view),
        _warnings(job, view),
        ending,
        [view.palette.paint("bold", f"Job Modify Index: {job.job_modify_index}")],
        *_next(job, view),
    ]


def _many(plan: Plan, view: PlanView) -> list[list[str]]:
    jobs = sorted(plan.jobs, key=lambda j: j.key)
    shown = [j for j in jobs if view.verbose or not j.empty or j.warnings]
    known = {j.key for j in shown}
    changed = [j for j in jobs if not j.empty]
    sections: list[list[str]] = []
    for job in shown:
        sections += [[_title(job, view)], *_job(job, view), _warnings(job, view)]
        sections.append([f"Job Modify Index: {job.job_modify_index}"])
    sections.append(unchanged_lines([j for j in jobs if j.key not in known]))
    sections += _hosts(plan, view)
    sections.append(table_lines(changed) if len(changed) > 1 else [])
    sections.append([view.palette.paint("bold", summary(plan))])
    if view.saved:
        sections += _saved(view)
    elif not plan.empty and view.advises:
        sections.append(["To carry out the whole plan:", "", _command(view.apply, view.flags)])
    return sections


def _title(job: JobPlan, view: PlanView) -> str:
    path = f" ({clean(job.path)})" if job.path else ""
    return view.palette.paint("bold", f'==> Job "{clean(job.key)}"{path}')


def _job(job: JobPlan, view: PlanView) -> list[list[str]]:
    changes = [c for c in job.changes if view.verbose or c.action is not Action.IGNORE]
    return [
        diff_lines(job.diff, verbose=view.verbose, palette=view.palette),
        _dry_run(job, view),
        placement_lines(changes, view.palette),
        why_lines(job, view.palette) if view.verbose else [],
        score_lines(changes) if view.verbose and not view.explanations else [],
        explanation_lines(
            (e for e in view.explanations if e.job == job.key), view.palette, verbose=view.verbose
        ),
        [f"Deployment {clean(job.resumes)[:8]} is not over: an apply goes on with it."]
        if job.resumes
        else [],
        ["A request waits for its deployment: an apply takes it in."] if job.asked else [],
    ]


def _dry_run(job: JobPlan, view: PlanView) -> list[str]:
    paint = view.palette.paint
    lines = [paint("bold", "Scheduler dry-run:")]
    failed = [(g.name, g.failure) for g in job.groups if g.failure]
    if not failed:
        return [*lines, paint("green", "- All tasks successfully allocated.")]
    system = job.job.type in ("system", "sysbatch")
    what = "place allocations on all nodes" if system else "place all allocations"
    lines.append(paint("yellow", f"- WARNING: Failed to {what}."))
    for i, (name, failure) in enumerate(sorted(failed)):
        lines += [""] * (i > 0) + ["  " + paint("yellow", failure_title(name, failure))]
        lines += [f"    {line}" for line in failure_lines(failure)]
    return lines


def _hosts(plan: Plan, view: PlanView) -> list[list[str]]:
    paint = view.palette.paint
    unknown = [(u.host, u.reason) for u in plan.unknown]
    drift = [(d.name or d.alloc[:8], d.kind, d.host, d.detail) for d in plan.drift]
    sections: list[list[str]] = []
    if unknown:
        title = "Unknown hosts (nothing on them is changed, moved or forgotten):"
        rows = wrapped_table(("Host", "Reason"), sorted(unknown))
        sections.append([paint("yellow", title), *rows])
    if drift:
        rows = wrapped_table(("Alloc", "Drift", "Host", "Detail"), drift)
        sections.append([paint("yellow", "Drift (what hosts run differs from the record):"), *rows])
    return sections


def _warnings(job: JobPlan, view: PlanView) -> list[str]:
    if not job.warnings:
        return []
    n = len(job.warnings)
    items = [f"* {clean(w)}" for w in job.warnings]
    lines = ["Job Warnings:", f"{n} warning{'' if n == 1 else 's'}:", "", *items]
    return [view.palette.paint("yellow", line) for line in lines]


def _next(job: JobPlan, view: PlanView) -> list[list[str]]:
    if view.saved:
        return _saved(view)
    if not job.path or not view.advises:
        return []
    index = f"-check-index {job.job_modify_index}"
    return [
        ["To run the job exactly as planned here:"],
        [_command(f"{view.run} {index}", (*view.flags, shlex.quote(clean(job.path))))],
        ["The check index lets it run only if nobody has changed the job since this plan."],
    ]


def _saved(view: PlanView) -> list[list[str]]:
    return [
        ["To carry out exactly this plan, or be refused:"],
        [_command(view.apply, (shlex.quote(clean(view.saved)),))],
    ]


def _command(start: str, rest: Sequence[str]) -> str:
    return " ".join((start, *rest))
