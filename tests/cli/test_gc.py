"""`orch system gc`: what it shows, what it removes, and what it leaves alone."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from executors.dev import DevHost
from gitops.ledger.journal import RunInfo
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.process import this_process
from tests.cli.background import Background
from tests.cli.place import CLUSTER, CONFIG, Place, job, made, place_on


@pytest.fixture
def place(
    background: Background,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[Place]:
    """A clone, a ledger and a host of their own."""
    with background.serving(DevHost(tmp_path / "dev")) as dev:
        empty = replace(place_on(dev, tmp_path), capsys=capsys, monkeypatch=monkeypatch)
        place = made(empty, {"orch.toml": CONFIG})
        yield place
        for name in ("web", "api"):
            place.orch("stop", "-yes", name)


def web(memory: int = 16, name: str = "web") -> str:
    quick = 'update { min_healthy_time = "0s" }'
    return job(name, group=quick, task='kill_timeout = "1s"').replace("= 16", f"= {memory}")


def test_nothing_to_remove(place: Place) -> None:
    said = place.orch("system", "gc")
    assert (said.code, said.out) == (0, "There is nothing to remove.\n"), said.err
    assert json.loads(place.orch("system", "gc", "-json").out) == []


def test_what_was_replaced_goes_and_what_runs_stays(place: Place) -> None:
    place.commit("jobs/web.nomad.hcl", web())
    assert place.orch("apply", "-auto-approve").code == 0
    place.commit("jobs/web.nomad.hcl", web(memory=17))
    assert place.orch("apply", "-auto-approve").code == 0
    allocs = json.loads(place.orch("job", "allocs", "-json", "web").out)
    (old,) = (a["ID"] for a in allocs if a["DesiredStatus"] == "stop")
    (new,) = (a["ID"] for a in allocs if a["DesiredStatus"] == "run")
    before = place.print_of()
    said = place.orch("system", "gc")
    assert said.code == 1
    assert "needs approval; nothing was touched" in said.err
    assert "Give -yes." in said.err
    header, row, *_, last = said.out.splitlines()
    assert re.split("  +", header) == ["Kind", "Host", "ID", "Name", "Why"]
    assert re.split("  +", row) == ["allocation", "dev", old[:8], "web.g[0]", "stopped, complete"]
    assert last == "1 allocation can be removed."
    (data,) = json.loads(place.orch("system", "gc", "-json").out)
    assert (data["Kind"], data["ID"], data["Removed"]) == ("allocation", old, False)
    assert place.print_of() == before
    said = place.orch("system", "gc", "-yes")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Removed 1 allocation."), said.err
    assert [p.name for p in (place.host / "records").iterdir()] == [new]
    assert [p.name for p in (place.host / "alloc").iterdir()] == [new]
    (kept,) = json.loads(place.orch("job", "allocs", "-json", "web").out)
    assert (kept["ID"], kept["ClientStatus"]) == (new, "running")
    assert place.orch("plan", "-detailed-exitcode").code == 0
    assert place.orch("system", "gc").out == "There is nothing to remove.\n"


def test_fences_of_many_jobs_go_a_few_at_a_time(place: Place) -> None:
    place.commit("jobs/web.nomad.hcl", web())
    assert place.orch("apply", "-auto-approve").code == 0
    cluster = place.host / "clusters" / CLUSTER
    for number in range(120):
        (cluster / "fences" / f"old-{number}").write_text("0 1 c\n")
    said = place.orch("system", "gc", "-yes")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Removed 120 fences."), said.err
    assert [p.name for p in (cluster / "fences").iterdir()] == ["web"]
    assert (cluster / "floor").read_text() == "0 1\n"


def test_nothing_is_left_of_a_job_that_was_purged(place: Place) -> None:
    place.commit("jobs/web.nomad.hcl", web())
    place.commit("jobs/api.nomad.hcl", web(name="api"))
    assert place.orch("apply", "-auto-approve").code == 0
    assert place.orch("stop", "-yes", "-purge", "web").code == 0
    said = place.orch("system", "gc", "-yes", "-json")
    (data,) = json.loads(said.out)
    assert (data["Kind"], data["Job"], data["Removed"]) == ("fence", "web", True)
    assert [p for p in place.host.rglob("*") if "web" in p.name] == []
    assert not any(b"web" in p.read_bytes() for p in place.host.rglob("*") if p.is_file())
    # The floor that is left lets nobody in who is late, and everybody who is not.
    assert place.orch("run", "jobs/web.nomad.hcl").code == 0
    assert place.orch("system", "gc").out == "There is nothing to remove.\n"
    assert place.orch("stop", "-yes", "-purge", "web", "api").code == 0
    assert "2 fences can be removed." in place.orch("system", "gc", "-yes").out
    fences = place.host / "clusters" / CLUSTER / "fences"
    assert list(fences.iterdir()) == []
    assert list((place.host / "records").iterdir()) == []


def test_a_run_that_is_over_goes(place: Place) -> None:
    place.commit("jobs/web.nomad.hcl", web())
    assert place.orch("apply", "-auto-approve").code == 0
    ledger = open_ledger(
        Address(url=str(place.ledger), cluster=CLUSTER, cache=place.root / "reader")
    )
    ledger.open_run(RunInfo(id="a1b2c3d4", holder="ann@box", started=1, process=this_process()))
    said = place.orch("server", "members")
    assert re.search(r"^ann@box +run a1b2c3d4 +alive ", said.out, re.MULTILINE)
    said = place.orch("system", "gc", "-yes")
    assert "run         a1b2c3d4  of ann@box  it is over, and holds no job" in said.out
    assert ledger.read().runs == {}


def test_a_host_that_is_away_is_told_and_kept(place: Place) -> None:
    place.commit("jobs/web.nomad.hcl", web())
    assert place.orch("apply", "-auto-approve").code == 0
    assert place.orch("stop", "-yes", "web").code == 0
    inventory = Path(place.environment["ORCH_INVENTORY"])
    text = inventory.read_text()
    inventory.write_text(re.sub(r"ansible_port: \d+", "ansible_port: 1", text))
    said = place.orch("system", "gc", "-yes")
    assert (said.code, said.out) == (4, "There is nothing to remove.\n")
    assert "Host dev is unknown" in said.err
    inventory.write_text(text)
    assert place.orch("system", "gc", "-yes").out.endswith("Removed 1 allocation.\n")
    # The job itself is recorded until it is purged.
    assert "dead (stopped)" in place.orch("status", "web").out
