"""Decisions about a job beside its file: reverts, rollbacks, counts, tags, another look."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, Place, Said, made, place_on
from tests.cli.test_handling import eventually

FILE = "jobs/shop.nomad.hcl"
SHOP = """\
job "shop" {
  update {
    min_healthy_time = "0s"
    healthy_deadline = "60s"
  }
  group "web" {
    count = 1
    scaling {
      min = 1
      max = 3
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    task "main" {
      driver       = "raw_exec"
      kill_timeout = "1s"
      env { COLOUR = "red" }
      config {
        command = "sleep"
        args    = ["600"]
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
"""


@dataclass
class Shop:
    """A place where the job `shop` runs; a host and a ledger of its own for each test."""

    place: Place

    def orch(self, *argv: str) -> Said:
        return self.place.orch(*argv)

    def done(self, *argv: str) -> Said:
        said = self.orch(*argv)
        assert said.code == 0, said
        return said

    def apply(self, text: str) -> str:
        """Commit another file and apply it; return the commit."""
        self.place.commit(FILE, text)
        self.done("apply", "-auto-approve")
        return self.place.git("rev-parse", "HEAD").strip()

    def versions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.done("history", "-json", "shop").out)
        return found

    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.done("inspect", "shop").out)
        return found

    def allocs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.done("job", "allocs", "-json", "shop").out)
        return found

    def running(self) -> int:
        whole = json.loads(self.done("status", "-json", "shop").out)
        return int(whole["Summary"]["web"]["Running"])


@pytest.fixture
def shop(
    background: Background,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[Shop]:
    with background.serving(DevHost(tmp_path / "dev")) as dev:
        place = made(place_on(dev, tmp_path), {"orch.toml": CONFIG, FILE: SHOP})
        found = Shop(replace(place, capsys=capsys, monkeypatch=monkeypatch))
        found.done("apply", "-auto-approve")
        yield found
        found.done("stop", "-yes", "shop")


def test_a_revert_is_a_new_version_of_an_old_spec(shop: Shop) -> None:
    first = shop.place.git("rev-parse", "HEAD").strip()
    shop.apply(SHOP.replace("red", "blue"))
    said = shop.done("job", "revert", "shop", "0")
    assert "Apply finished: 1 of 1 jobs done." in said.out
    newest, *older = shop.versions()
    assert (newest["Version"], newest["Stable"], newest["Commit"]) == (2, True, first)
    assert [v["Version"] for v in older] == [1, 0]
    assert shop.spec()["TaskGroups"][0]["Tasks"][0]["Env"] == {"COLOUR": "red"}
    assert 'Git says otherwise about job "shop"' in said.err
    assert f"  git restore -s {first[:8]} -SW {FILE}\n" in said.err
    # What it says is what brings Git there.
    shop.place.git("restore", "-s", first[:8], "-SW", FILE)
    shop.place.git("commit", "-qm", "Roll back")
    assert shop.orch("plan", "-detailed-exitcode").code == 0


def test_what_can_not_be_reverted_to(shop: Shop) -> None:
    for to, words in (
        ("0", "can't revert to current version"),
        ("77", 'job "shop" in namespace "default" at version 77 not found'),
        ("nosuch", "at tag 'nosuch' not found"),
    ):
        said = shop.orch("job", "revert", "shop", to)
        assert (said.code, said.out) == (1, "")
        assert f"Error: {words}" in said.err or words in said.err
    shop.apply(SHOP.replace("red", "blue"))
    said = shop.orch("job", "revert", "-check-index", "1", "shop", "0")
    assert said.code == 3
    assert "job exists with conflicting job modify index" in said.err


def test_a_rollback_goes_to_the_last_stable_version(shop: Shop) -> None:
    second = shop.apply(SHOP.replace("red", "blue"))
    shop.place.commit(FILE, SHOP.replace('"600"', '"no number"').replace('"0s"', '"5s"'))
    assert shop.orch("apply", "-auto-approve").code == 5
    refused = shop.orch("rollback", "shop")
    assert refused.code == 1
    assert (
        "without a terminal this needs approval; nothing was touched\n\nGive -yes." in refused.err
    )
    # Without a name: whatever is not stable.
    said = shop.done("rollback", "-yes")
    assert f'Job "shop" goes back to version 1, of commit {second[:8]}.\n' in said.err
    assert f"  git restore -s {second[:8]} -SW {FILE}\n" in said.err
    assert (shop.versions()[0]["Version"], shop.running()) == (3, 1)
    again = shop.orch("rollback", "-yes")
    assert again.code == 1
    assert "there is nothing to roll back: every job is stable" in again.err


def test_a_rollback_to_a_commit(shop: Shop) -> None:
    first = shop.place.git("rev-parse", "HEAD").strip()
    shop.apply(SHOP.replace("red", "blue"))
    shop.apply(SHOP.replace("red", "green"))
    shop.done("rollback", "-yes", "-to", first[:10])
    assert shop.versions()[0]["Commit"] == first
    # Without anything, it is what ran before.
    shop.done("rollback", "-yes", "shop")
    assert shop.spec()["TaskGroups"][0]["Tasks"][0]["Env"] == {"COLOUR": "green"}
    assert shop.orch("rollback", "-yes", "-to", "1").code == 1


def test_a_count_is_a_new_version_and_an_event(shop: Shop) -> None:
    assert shop.done("job", "scaling-events", "shop").out == "No events found\n"
    said = shop.done("job", "scale", "shop", "web", "2")
    assert shop.running() == 2
    assert [v["Version"] for v in shop.versions()] == [1, 0]
    (evaluation, *_) = json.loads(shop.done("eval", "list", "-json").out)
    assert evaluation["TriggeredBy"] == "job-scaling"
    header, row = shop.done("job", "scaling-events", "shop").out.splitlines()
    assert header.split() == ["Task", "Group", "Count", "PrevCount", "Date"]
    assert row.split()[:3] == ["web", "2", "1"]
    shop.done("job", "scale", "shop", "1")
    counts = [
        e["Count"] for e in json.loads(shop.done("job", "scaling-events", "-json", "shop").out)
    ]
    assert counts == [1, 2]
    # The change that it shows is one that Git takes.
    assert "Git says otherwise, and the next apply brings that back" in said.err
    change = said.err[said.err.index("  --- a/") :]
    lines = [line.removeprefix("  ") for line in change.splitlines()]
    (shop.place.root / "change").write_text("\n".join([*lines, ""]))
    shop.place.git("apply", str(shop.place.root / "change"))
    assert "count = 2" in (shop.place.clone / FILE).read_text()


def test_counts_that_are_refused(shop: Shop) -> None:
    for words, told in (
        (
            ("shop", "4"),
            "count 4 of group 'web' is out of the limits",
        ),
        (("shop", "0"), "min is 1"),
        (("shop", "api", "2"), "job 'shop' has no group 'api'"),
        (("shop", "many"), "'many' is not a count"),
        (("shop",), "write JOB [GROUP] COUNT"),
    ):
        said = shop.orch("job", "scale", *words)
        assert said.code == 1
        assert told in said.err
    assert shop.orch("job", "scale", "-check-index", "9", "shop", "2").code == 3
    assert len(shop.versions()) == 1


def test_a_tag_names_a_version(shop: Shop) -> None:
    shop.apply(SHOP.replace("red", "blue"))
    before = shop.place.state
    said = shop.done(
        "job",
        "tag",
        "apply",
        "-name",
        "good",
        "-description",
        "known good",
        "-version",
        "0",
        "shop",
    )
    assert said.out == 'Job version 0 tagged with name "good"\n'
    assert shop.place.state != before
    text = shop.done("job", "history", "shop").out
    assert re.search(
        r"Version +=\ 0\n(.*\n)*Tag Name +=\ good\nTag Description = known good\n", text
    )
    assert shop.orch("plan", "-detailed-exitcode").code == 0
    taken = shop.orch("job", "tag", "apply", "-name", "good", "shop")
    assert 'tag "good" already exists on a different version of job "shop": 0' in taken.err
    shop.done("job", "revert", "shop", "good")
    assert shop.versions()[0]["Tag"] is None
    said = shop.done("job", "tag", "apply", "-json", "-name", "bad", "-version", "1", "shop")
    tagged = json.loads(said.out)
    assert (tagged["JobID"], tagged["Version"], tagged["Tag"]["Name"]) == ("shop", 1, "bad")
    said = shop.done("job", "tag", "unset", "-json", "-name", "bad", "shop")
    assert json.loads(said.out) == {**tagged, "Tag": None}
    assert shop.done("job", "tag", "unset", "-name", "good", "shop").out.startswith('Tag "good"')
    assert shop.orch("job", "tag", "unset", "-name", "good", "shop").code == 1
    assert shop.orch("job", "tag", "apply", "shop").code == 1


def test_one_version_of_the_history(shop: Shop) -> None:
    shop.apply(SHOP.replace("red", "blue"))
    shop.apply(SHOP.replace("red", "green"))
    said = shop.done("job", "history", "-p", "-version", "1", "shop").out
    assert said.count("Version ") == 1
    assert 'Env[COLOUR]: "red" => "blue"' in said
    (only,) = json.loads(shop.done("history", "-json", "-version", "1", "shop").out)
    assert only["Version"] == 1
    assert shop.orch("history", "-version", "9", "shop").code == 1


def test_another_look_is_an_evaluation(shop: Shop) -> None:
    before = len(json.loads(shop.done("eval", "list", "-json").out))
    said = shop.done("job", "eval", "shop")
    assert said.out.endswith("\nEvaluation finished: 1 of 1 jobs done.\n")
    assert len(json.loads(shop.done("eval", "list", "-json").out)) == before + 1
    assert len(shop.versions()) == 1


def test_what_has_failed_is_placed_again_before_its_time_by_force(shop: Shop) -> None:
    failing = SHOP.replace("sleep", "sh").replace('"600"', '"-c", "sleep 3; exit 1"')
    patient = 'attempts = 1\ninterval = "24h"\ndelay = "1h"\ndelay_function = "constant"'
    shop.apply(failing.replace("attempts  = 0", patient))
    eventually(lambda: shop.running() == 0)
    before = len(shop.allocs())
    shop.done("job", "eval", "shop")
    assert len(shop.allocs()) == before
    shop.done("job", "eval", "-force-reschedule", "shop")
    newest = shop.allocs()[-1]
    assert (len(shop.allocs()), newest["TaskGroup"]) == (before + 1, "web")
    assert newest["PreviousAllocation"] == shop.allocs()[-2]["ID"]
