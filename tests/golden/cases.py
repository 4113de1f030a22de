"""Golden cases: a folder tells a small story, and holds what its plan must print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gitops.view import plan_json, plan_text
from planner.annotate import annotated
from planner.codec import from_json
from planner.diff import job_diff
from planner.job import Job
from planner.plan import Drift, GroupPlan, JobPlan, Plan, UnknownHost

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCase:
    """A job as registered and as desired (None: does not exist), and what was decided."""

    before: Job | None = None
    after: Job | None = None
    groups: tuple[GroupPlan, ...] = ()
    warnings: tuple[str, ...] = ()
    path: str = ""
    job_modify_index: int = 0
    resumes: str = ""

    def plan(self) -> JobPlan:
        job = self.after or replace(self.before or Job(id="none"), stop=True)
        return JobPlan(
            key=job.id,
            job=job,
            diff=annotated(job_diff(self.before, self.after), self.groups),
            groups=self.groups,
            warnings=self.warnings,
            path=self.path,
            job_modify_index=self.job_modify_index,
            registers=self.before != self.after,
            resumes=self.resumes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A whole plan, and the flags that its command repeats."""

    jobs: tuple[JobCase, ...]
    unknown: tuple[UnknownHost, ...] = ()
    drift: tuple[Drift, ...] = ()
    flags: tuple[str, ...] = ()

    def plan(self) -> Plan:
        jobs = tuple(j.plan() for j in self.jobs)
        return Plan(cluster="golden", jobs=jobs, unknown=self.unknown, drift=self.drift)


def folders() -> list[Path]:
    return sorted(p.parent for p in HERE.glob("*/case.json"))


def outputs(folder: Path) -> Mapping[str, str]:
    """Everything that is printed for a case, by file name."""
    case = from_json(Case, json.loads((folder / "case.json").read_text()))
    plan = case.plan()
    view = plan_text.PlanView(flags=case.flags)
    return {
        "plan.txt": plan_text.text(plan, view),
        "plan-verbose.txt": plan_text.text(plan, replace(view, verbose=True)),
        "plan.json": json.dumps(plan_json.data(plan), indent=1, ensure_ascii=False) + "\n",
    }
