"""References that are left for run time: which it can resolve, and what was meant by the others."""

from __future__ import annotations

import pytest

from gitops.jobspec.load import load
from gitops.jobspec.runtime_names import reference_fault
from gitops.jobspec.variables import Variables
from tests.gitops.jobspec.specs import spec

NAMES = ["var.image", "var.count", "local.ports"]
ENVIRONMENT = frozenset({"my_port"})


@pytest.mark.parametrize(
    "text",
    [
        "attr.kernel.name",
        'meta["rack"]',
        "meta.rack",
        "node.unique.name",
        "node.datacenter",
        'env["HOME"]',
        "device.attr.x",
        "NOMAD_PORT_http",
        "NOMAD_ALLOC_INDEX",
        "NOMAD_META_owner",
        "HOME",
        "my_port",
    ],
)
def test_run_time_knows(text: str) -> None:
    assert reference_fault(text, NAMES, ENVIRONMENT) is None


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("vars.image", 'Did you mean "var.image"?'),
        ("locals.ports", 'Did you mean "local.ports"?'),
        ("nod.datacenter", 'Did you mean "node.datacenter"?'),
        ("node.datacentre", 'Did you mean "node.datacenter"?'),
        ("meta", '"meta" has members; write one, as in "${meta.name}".'),
        ("node", '"node" has members; write one, as in "${node.unique.name}".'),
        ("image", 'Did you mean "var.image"?'),
        ("my_prot", 'Did you mean "my_port"?'),
        ("NOMAD_ALOC_ID", 'Did you mean "NOMAD_ALLOC_ID"?'),
        ("atrr.kernel", 'Did you mean "attr"?'),
        ("count.index", "Each allocation has its own NOMAD_ALLOC_INDEX."),
        ("zzz.yyy", "Known are var, local, attr, meta, node, device, env and NOMAD_… ."),
    ],
)
def test_run_time_does_not_know(text: str, advice: str) -> None:
    assert reference_fault(text, NAMES, ENVIRONMENT) == advice


def test_a_reference_that_nothing_resolves_is_warned_of_in_its_place() -> None:
    text = spec(
        top='variable "image" { default = "x" }',
        task='env {\nA = "${vars.image}"\nB = "${attr.x}-${A}"\nC = nod.name\n}',
    )
    found = load(text, path="x.nomad.hcl", variables=Variables())
    assert found.job.task_groups[0].tasks[0].env["A"] == "${vars.image}"
    told = [(w.line, w.column, w.detail) for w in found.warnings if "neither" in w.summary]
    assert told == [
        (9, 8, 'Did you mean "var.image"?'),
        (11, 5, 'Did you mean "node"?'),
    ]
