"""-limit: hosts that are left out are not looked at, and nothing is done there; -parallelism."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import Place, ended, job

APPLY = ("apply", "-auto-approve")
GROUP = """
    count = 2
    constraint { distinct_hosts = true }
    update {
      max_parallel     = 2
      min_healthy_time = "0s"
      healthy_deadline = "90s"
    }
"""


def both(greeting: str) -> str:
    return job("both", group=GROUP, task=f'env {{\n GREETING = "{greeting}"\n}}')


@pytest.fixture
def two(place: Place, background: Background, tmp_path: Path) -> Generator[Place]:
    """Two hosts, each of which runs one allocation of a job."""
    shutil.rmtree(place.ledger)
    place.git("rm", "-q", "jobs/web.nomad.hcl")
    with (
        background.serving(DevHost(tmp_path / "one")) as one,
        background.serving(DevHost(tmp_path / "two")) as other,
    ):
        known = [
            yaml.safe_load(h.inventory.read_text())["all"]["hosts"]["dev"] for h in (one, other)
        ]
        place.inventory(json.dumps({"all": {"hosts": dict(zip(("h1", "h2"), known, strict=True))}}))
        place.commit("jobs/both.nomad.hcl", both("hello"))
        said = place.spawn(*APPLY)
        assert said.code == 0, said
        yield place
        place.spawn("stop", "-yes", "both")
        assert [ended(h.data_dir) for h in (one, other)] == [0, 0]


def placed(place: Place) -> dict[str, tuple[str, str]]:
    """Id and status of what is decided to run, by host, as all hosts show it."""
    found = json.loads(place.spawn("status", "-json", "both").out)["Allocations"]
    live = [a for a in found if a["DesiredStatus"] == "run"]
    assert len({a["NodeName"] for a in live}) == len(live)
    return {a["NodeName"]: (a["ID"], a["ClientStatus"]) for a in live}


def test_a_change_reaches_the_hosts_of_the_limit_only(two: Place) -> None:
    before = placed(two)
    two.commit("jobs/both.nomad.hcl", both("changed"))
    said = two.spawn(*APPLY, "-limit", "h1")
    assert said.code == 4, said
    after = placed(two)
    assert after["h2"] == before["h2"] == (before["h2"][0], "running")
    assert after["h1"][0] != before["h1"][0]
    assert two.spawn(*APPLY).code == 0
    assert placed(two)["h1"] == after["h1"]
    assert placed(two)["h2"][0] != before["h2"][0]


def test_a_job_that_left_is_stopped_there_only(two: Place) -> None:
    before = placed(two)
    two.git("rm", "-q", "jobs/both.nomad.hcl")
    two.commit("jobs/other.nomad.hcl", job("other").replace("count = 2", ""))
    assert two.spawn(*APPLY, "-limit", "h1").code == 4
    assert placed(two) == {"h2": before["h2"]}
    assert two.spawn(*APPLY).code == 0
    assert placed(two) == {}
    assert two.spawn("stop", "-yes", "other").code == 0


def test_a_saved_plan_keeps_its_limit(two: Place) -> None:
    before = placed(two)
    two.commit("jobs/both.nomad.hcl", both("changed"))
    said = two.spawn("plan", "-limit", "h1", "-out", "x.plan")
    assert said.code == 4, said
    assert "h2" in said.out
    assert two.spawn("apply", "-limit", "h1", "x.plan").code == 4
    after = placed(two)
    assert after["h2"] == before["h2"]
    assert after["h1"][0] != before["h1"][0]


def test_one_thing_at_a_time_comes_to_the_same(two: Place) -> None:
    two.commit("jobs/both.nomad.hcl", both("changed"))
    two.commit("jobs/other.nomad.hcl", job("other"))
    index = json.loads(two.spawn("plan", "-json", "jobs/both.nomad.hcl").out)
    wanted = str(index["jobs"][0]["JobModifyIndex"])
    said = two.spawn("apply", "-check-index", wanted, "-parallelism", "1", "jobs/both.nomad.hcl")
    assert said.code == 0, said
    assert two.spawn(*APPLY, "-parallelism=1").code == 0
    assert two.spawn("plan", "-detailed-exitcode").code == 0
    assert two.spawn("stop", "-yes", "other").code == 0


def test_only_the_targets_are_planned_and_applied(two: Place) -> None:
    before = placed(two)
    two.git("rm", "-q", "jobs/both.nomad.hcl")
    two.commit("jobs/one.nomad.hcl", job("one"))
    two.commit("jobs/other.nomad.hcl", job("other"))
    said = two.spawn("plan", "-target", "one", "-detailed-exitcode")
    assert said.code == 2, said
    assert re.findall('Job: "(.*)"', said.out) == ["one"]
    assert "Planned with -target" in said.err
    assert two.spawn(*APPLY, "-target", "one").code == 0
    assert placed(two) == before
    assert "other" not in two.spawn("status").out
    # a job that has left the repository is a target like any other
    assert two.spawn(*APPLY, "-target=both").code == 0
    assert placed(two) == {}
    assert two.spawn("stop", "-yes", "one").code == 0


def test_a_saved_plan_keeps_its_targets_and_takes_no_others(two: Place) -> None:
    two.commit("jobs/one.nomad.hcl", job("one"))
    two.commit("jobs/both.nomad.hcl", both("changed"))
    before = placed(two)
    assert two.spawn("plan", "-target", "one", "-out", "x.plan").code == 0
    for flag in ("-target=both", "-limit=h1"):
        said = two.spawn("apply", flag, "x.plan")
        assert said.code == 1
        assert "a saved plan is carried out as it is, or not at all" in said.err
    assert two.spawn("apply", "-target", "one", "x.plan").code == 0
    assert placed(two) == before
    assert "one" in two.spawn("status").out
    assert two.spawn("stop", "-yes", "one").code == 0


def test_a_target_that_is_not_there(two: Place) -> None:
    said = two.spawn("plan", "-target", "bth")
    assert said.code == 1
    assert "-target bth: there is no such job here; did you mean 'both'?" in said.err


def test_a_command_that_is_suggested_keeps_the_limit(two: Place) -> None:
    two.commit("jobs/both.nomad.hcl", both("changed"))
    said = two.spawn("plan", "-limit", "h1:&all")
    assert "-limit='h1:&all' jobs/both.nomad.hcl" in said.out
