"""Whole specs against the canonical jobs that they stand for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from planner.codec import from_json, to_json
from planner.job import Job
from tests.gitops.jobspec.specs import job_of

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", sorted(p.name for p in GOLDEN.glob("*.nomad.hcl")))
def test_a_spec_becomes_its_canonical_job(name: str) -> None:
    job = job_of((GOLDEN / name).read_text(encoding="utf-8"))
    kept = GOLDEN / name.replace(".nomad.hcl", ".json")
    if os.environ.get("ORCH_GOLDEN"):
        kept.write_text(json.dumps(to_json(job), indent=1) + "\n", encoding="utf-8")
    assert to_json(job) == json.loads(kept.read_text(encoding="utf-8"))


def test_canonical_jobs_survive_their_json_form() -> None:
    job = job_of((GOLDEN / "redis.nomad.hcl").read_text(encoding="utf-8"))
    assert from_json(Job, to_json(job)) == job
