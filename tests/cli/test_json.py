"""Versions of JSON outputs, where a program finds them."""

from __future__ import annotations

import json

import pytest

from gitops.view.formats import FORMATS
from tests.cli.place import Place


def test_the_versions_of_all_outputs_can_be_asked_for(place: Place) -> None:
    said = place.orch("version", "-json")
    assert json.loads(said.out)["Formats"] == FORMATS
    assert place.orch("version").out == f"orch v{json.loads(said.out)['Version']}\n"


@pytest.mark.parametrize("name", ["plan", "validate"])
def test_objects_of_its_own_carry_their_version(place: Place, name: str) -> None:
    assert json.loads(place.orch(name, "-json").out)["format_version"] == FORMATS[name]


def test_every_reading_command_prints_what_its_schema_says(place: Place) -> None:
    (alloc,) = json.loads(place.orch("status", "-json", "web").out)["Allocations"]
    (deployment,) = json.loads(place.orch("deployment", "list", "-json").out)
    (evaluation,) = json.loads(place.orch("eval", "list", "-json").out)
    (node,) = json.loads(place.orch("node", "status", "-json").out)
    for id_ in (alloc["ID"], deployment["ID"], evaluation["ID"], node["ID"]):
        assert place.orch("status", "-json", id_).code == 0
    for words in (
        ("status",),
        ("alloc", "status", alloc["ID"]),
        ("deployment", "status", deployment["ID"]),
        ("eval", "status", evaluation["ID"]),
        ("node", "status", "dev"),
        ("history", "web"),
        ("inspect", "web"),
        ("hosts", "list"),
        ("hosts", "exec", "dev", "--", "true"),
        ("ledger", "status"),
        ("ledger", "check"),
        ("plan", "-explain", "-verbose"),
        ("apply", "-auto-approve"),
        ("run", "-output", "jobs/web.nomad.hcl"),
        ("validate", "-report"),
    ):
        split = words.index("--") if "--" in words else len(words)
        said = place.orch(*words[:1], *words[1:2], "-json", *words[2:split], *words[split:])
        assert json.loads(said.out), said
