"""Loads specs in tests in one word."""

from __future__ import annotations

from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec.load import load
from gitops.jobspec.variables import Variables
from planner.job import Job

NONE = Variables()


def job_of(text: str, variables: Variables = NONE) -> Job:
    return load(text, path="x.nomad.hcl", variables=variables).job


def errors_of(text: str, variables: Variables = NONE) -> tuple[Diagnostic, ...]:
    try:
        job_of(text, variables)
    except SpecErrors as e:
        return e.diagnostics
    return ()


def places(text: str, variables: Variables = NONE) -> list[tuple[int, int, str]]:
    return [(d.line, d.column, d.summary) for d in errors_of(text, variables)]


def spec(*, job: str = "", group: str = "", task: str = "", top: str = "") -> str:
    """Return the smallest valid spec with further lines at each level."""
    return f"""{top}
job "j" {{
  {job}
  group "g" {{
    {group}
    task "t" {{
      driver = "raw_exec"
      {task}
    }}
  }}
}}
"""
