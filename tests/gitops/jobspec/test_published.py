"""Job files as teams publish them go the whole way: parsed, judged, compared, planned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.jobspec.format import formatted
from gitops.jobspec.load import load, parsed
from gitops.jobspec.spec import LoadedSpec
from gitops.view import plan_json, plan_text
from planner.codec import from_json, to_json
from planner.diff import job_diff
from planner.difference import DiffType
from planner.job import Job
from planner.plan import Plan
from tests.gitops.jobspec.specs import NONE
from tests.planner.scenes import node, scene

FOLDER = Path(__file__).parent / "published"
FILES = sorted(p.name for p in FOLDER.glob("*.nomad.hcl"))

# What each asks for that orch does not honour.
LIMITS = {
    "backup.nomad.hcl": {"periodic", "max_run_duration", "user"},
    "csi-node.nomad.hcl": {"csi_plugin"},
    "grafana.nomad.hcl": {
        "ephemeral_disk.sticky", "ephemeral_disk.migrate", "volume", "volume_mount", "artifact",
        "template",
    },
    "inference.nomad.hcl": {
        "resources.device", "resources.numa",
    },
    "log-shipper.nomad.hcl": {
        "identity", "template",
    },
    "mesh.nomad.hcl": {"service.connect"},
    "payments.nomad.hcl": {
        "vault", "consul", "template", "service.identity", "resources.secrets",
    },
    "postgres-csi.nomad.hcl": {
        "volume", "volume_mount", "secret", "action", "resources.cores",
    },
    "traefik.nomad.hcl": {"template"},
    "transcode.nomad.hcl": {"parameterized", "dispatch_payload", "artifact"},
}  # fmt: skip


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def loaded(name: str) -> LoadedSpec:
    return load(text_of(name), path=name, variables=NONE)


@pytest.mark.parametrize("name", FILES)
def test_it_is_valid_and_its_limits_are_told_at_their_lines(name: str) -> None:
    spec = loaded(name)

    assert {x.name for x in spec.limits if not x.part} == LIMITS.get(name, set())
    assert all(x.place.line > 1 for x in spec.limits)


@pytest.mark.parametrize("name", FILES)
def test_it_survives_json_and_formatting(name: str) -> None:
    data = parsed(text_of(name), path=name, variables=NONE)
    job = loaded(name).job

    assert parsed(json.dumps({"Job": data}), path="x", variables=NONE) == data
    assert load(json.dumps(to_json(job)), path="x", variables=NONE).job == job
    assert from_json(Job, to_json(job)) == job
    assert formatted(text_of(name), path=name) == text_of(name)


@pytest.mark.parametrize("name", FILES)
def test_it_is_compared_and_planned(name: str) -> None:
    job = loaded(name).job
    plan = Plan(cluster="x", jobs=(scene(node("one"), node("two")).plan(job),))

    assert job_diff(job, job).type is DiffType.NONE
    assert job_diff(None, job).type is DiffType.ADDED
    assert job_diff(job, replace(job, priority=1)).type is DiffType.EDITED
    for verbose in (False, True):
        assert f'Job: "{job.id}"' in plan_text.text(plan, plan_text.PlanView(verbose=verbose))
    assert json.loads(json.dumps(plan_json.data(plan)))["jobs"][0]["ID"] == job.id


# What a host with docker says of itself.
ATTRIBUTES = {
    "kernel.name": "linux",
    "kernel.arch": "x86_64",
    "cpu.frequency": "2000",
    "nomad.version": "1.8.0",
    "nomad.service_discovery": "true",
    "os.signals": "SIGHUP,SIGINT,SIGUSR1",
    **{f"plugins.cni.version.{p}": "1.0.0" for p in ("bridge", "firewall", "host-local")},
    **{f"plugins.cni.version.{p}": "1.0.0" for p in ("loopback", "portmap")},
}


@pytest.mark.parametrize("name", ["mesh.nomad.hcl", "payments.nomad.hcl", "traefik.nomad.hcl"])
def test_what_consul_and_vault_imply_keeps_nothing_off_a_node(name: str) -> None:
    job = loaded(name).job
    host = node("one", attributes=ATTRIBUTES, drivers=frozenset({"docker"}))
    implied = {c.l_target for g in job.task_groups for c in g.constraints}
    plan = scene(host).plan(job)

    assert [g.failure for g in plan.groups] == [None] * len(job.task_groups)
    assert name == "traefik.nomad.hcl" or "${attr.consul.version}" in implied
