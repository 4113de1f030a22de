"""`orch job restart`: running allocations begin anew, batch after batch, or others replace them."""

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
from tests.cli.test_job_verbs import SHOP

FILE = "jobs/shop.nomad.hcl"
# The second group, and all but the first of the other, end by themselves where a file says so.
_SLEEP = 'command = "sleep"\n        args    = ["600"]'
_UNLESS_BROKEN = """\
command = "sh"
        args    = ["-c", "test $NOMAD_ALLOC_INDEX = 0 || test ! -e WORN && exec sleep 600"]"""
_TWO = (
    SHOP.replace("count = 1", "count = 3")
    .replace("max = 3", "max = 9")
    .replace(_SLEEP, _UNLESS_BROKEN)
)
_API = """\
  group "api" {
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
      config {
        command = "sh"
        args    = ["-c", "test ! -e BROKEN || exit 1; exec sleep 600"]
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
    """A place where three allocations of the group `web` run and one of `api`."""

    place: Place
    broken: Path
    worn: Path

    def restart(self, *argv: str) -> Said:
        return self.place.orch("job", "restart", "-yes", *argv, "shop")

    def allocs(self) -> list[dict[str, Any]]:
        said = self.place.orch("job", "allocs", "-json", "shop")
        found: list[dict[str, Any]] = json.loads(said.out)
        return [a for a in found if a["DesiredStatus"] == "run"]

    def ids(self) -> list[str]:
        return sorted(a["ID"] for a in self.allocs())

    def restarts(self) -> dict[str, int]:
        """How often the task of each was restarted, by name."""
        return {a["Name"]: self._restarts(a["ID"]) for a in self.allocs()}

    def _restarts(self, alloc: str) -> int:
        said = self.place.orch("alloc", "status", "-json", alloc)
        return int(json.loads(said.out)["TaskStates"]["main"]["Restarts"])


@pytest.fixture(scope="module")
def root(
    background: Background, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Path, DevHost]]:
    root = tmp_path_factory.mktemp("restarted")
    job = _TWO.rstrip().removesuffix("}") + _API
    job = job.replace("BROKEN", str(root / "broken")).replace("WORN", str(root / "worn"))
    with background.serving(DevHost(root / "dev")) as dev:
        place = made(place_on(dev, root), {"orch.toml": CONFIG, FILE: job})
        said = place.spawn("apply", "-auto-approve")
        assert said.code == 0, said.err
        yield root, dev
        said = place.spawn("stop", "-yes", "shop")
        assert said.code == 0, said.err


@pytest.fixture
def shop(
    root: tuple[Path, DevHost],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shop:
    folder, dev = root
    place = replace(place_on(dev, folder), capsys=capsys, monkeypatch=monkeypatch)
    return Shop(place=place, broken=folder / "broken", worn=folder / "worn")


def told(said: Said) -> list[str]:
    """What was told, without times and ids."""
    lines = [re.sub(r"\d{4}-\S+Z: ", "", line).strip() for line in said.out.splitlines()]
    return [re.sub(r'"[0-9a-f]{8}"', '"ID"', line) for line in lines if line]


def test_one_batch_after_the_other(shop: Shop) -> None:
    ids, before = shop.ids(), shop.restarts()
    said = shop.restart("-group", "web", "-batch-size=2", "-batch-wait=1s")
    assert said.code == 0, said
    restarting = 'Restarting running tasks in allocation "ID" for group "web"'
    assert told(said) == [
        "==> Restarting 3 allocations",
        restarting,
        restarting,
        "==> Waiting 1s before restarting the next batch",
        restarting,
        "==> Job restart finished",
        "Job restarted successfully!",
    ]
    assert shop.ids() == ids
    more = {name: count - before[name] for name, count in shop.restarts().items()}
    assert more == {f"shop.web[{i}]": 1 for i in range(3)} | {"shop.api[0]": 0}
    assert all(a["ClientStatus"] == "running" for a in shop.allocs())
    assert shop.place.orch("plan", "-detailed-exitcode").code == 0


def test_each_is_replaced_before_the_next_one_stops(shop: Shop) -> None:
    old = {a["ID"] for a in shop.allocs() if a["TaskGroup"] == "web"}
    said = shop.restart("-group=web", "-reschedule")
    assert said.code == 0, said
    one = [
        'Rescheduling allocation "ID" for group "web"',
        'Allocation "ID" replaced by "ID", waiting for "ID" to start running',
        'Allocation "ID" is "running"',
    ]
    ends = ["==> Job restart finished", "Job restarted successfully!"]
    assert told(said) == ["==> Restarting 3 allocations", *one * 3, *ends]
    new = [a for a in shop.allocs() if a["TaskGroup"] == "web"]
    assert {a["PreviousAllocation"] for a in new} == old
    assert all(a["ClientStatus"] == "running" for a in new)
    evals = json.loads(shop.place.orch("eval", "list", "-job", "shop", "-json").out)
    assert [e["TriggeredBy"] for e in evals[:3]] == ["alloc-stop"] * 3
    assert len(json.loads(shop.place.orch("history", "-json", "shop").out)) == 1


def test_a_share_of_them_at_a_time_and_one_task(shop: Shop) -> None:
    said = shop.restart("-task=main", "-batch-size=100%")
    assert said.code == 0, said
    (first, *lines) = told(said)
    assert first == "==> Restarting 4 allocations"
    assert {line[: line.index(" in ")] for line in lines[:4]} == {'Restarting task "main"'}


@pytest.mark.parametrize("flags", [(), ("-reschedule",)])
def test_what_began_anew_is_told_as_json(shop: Shop, flags: tuple[str, ...]) -> None:
    before = {a["ID"] for a in shop.allocs() if a["TaskGroup"] == "web"}
    said = shop.restart("-group=web", "-batch-size=100%", "-json", *flags)
    assert said.code == 0, said
    restarted = json.loads(said.out)["Restarted"]
    assert {a["ID"] for a in restarted} == before
    after = {a["ID"] for a in shop.allocs() if a["TaskGroup"] == "web"}
    assert {a["ReplacedBy"] or a["ID"] for a in restarted} == after
    assert "Job restart finished" in said.err


def test_what_does_not_come_back_ends_it(shop: Shop) -> None:
    before = shop.restarts()
    shop.broken.touch()
    said = shop.restart("-batch-size=1")
    shop.broken.unlink()
    assert said.code == 1
    # Groups go by name: those of the other one are left alone.
    assert len([line for line in told(said) if line.startswith("Restarting running")]) == 1
    failed = r": task 'main' has failed| is not healthy"
    assert re.search(rf"allocation [0-9a-f]{{8}} \(shop\.api\[0\]\) on dev({failed})", said.err)
    assert re.search(failed, said.err)
    left = {name: count for name, count in shop.restarts().items() if ".web[" in name}
    assert left == {name: count for name, count in before.items() if ".web[" in name}
    assert shop.restart("-group=api").out == "No allocations to restart\n"
    assert json.loads(shop.restart("-group=api", "-json").out)["Restarted"] == []


def test_what_came_back_is_told_as_json_though_the_next_did_not(shop: Shop) -> None:
    names = {a["ID"]: a["Name"] for a in shop.allocs()}
    shop.worn.touch()
    said = shop.restart("-group=web", "-json")
    shop.worn.unlink()
    assert said.code == 1
    assert [names[a["ID"]] for a in json.loads(said.out)["Restarted"]] == ["shop.web[0]"]
    assert "shop.web[1]" in said.err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("-yes", "-group=nosuch"), "has no group 'nosuch'"),
        (("-yes", "-task=nosuch"), "Could not find task named: nosuch, found:\nmain"),
        (("-yes", "-batch-size=0"), "'0' is neither a number nor a percentage"),
        (("-yes", "-batch-size=101%"), "'101%' is neither a number nor a percentage"),
        (("-yes", "-batch-wait=ask"), "nobody is asked between two batches"),
        (("-yes", "-on-error=ask"), "nobody is asked midway"),
        (("-yes", "-reschedule", "-all-tasks"), "-reschedule is for whole allocations"),
        (("-yes", "-task=main", "-all-tasks"), "-all-tasks is not for one task"),
        ((), "needs approval; nothing was changed"),
    ],
)
def test_what_is_refused(shop: Shop, argv: tuple[str, ...], words: str) -> None:
    before = shop.restarts()
    said = shop.place.orch("job", "restart", *argv, "shop")
    assert said.code == 1
    assert words in said.err
    assert shop.restarts() == before
