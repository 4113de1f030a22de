"""A host that does not answer: left alone, an error, or lost by decision; and its return."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.background import Background
from tests.cli.place import Place, Said, job
from tests.cli.two_hosts import place_on_two

QUICK = 'update {\n min_healthy_time = "0s"\n healthy_deadline = "90s"\n}'
ONLY_B = 'constraint {\n attribute = "${node.unique.name}"\n value = "b"\n}'
FILES = {
    "jobs/web.nomad.hcl": job("web", group=f"count = 2\n{QUICK}"),
    "jobs/pinned.nomad.hcl": job("pinned", group=f"{QUICK}\n{ONLY_B}"),
}
APPLY = ("apply", "-auto-approve")


@dataclass
class Fleet:
    """A place with two hosts, of which `b` can be out of reach."""

    place: Place
    inventory: Path
    whole: str

    def lose_b(self) -> None:
        """From now on nobody answers at its port; what runs there goes on."""
        data = json.loads(self.whole)
        data["all"]["hosts"]["b"]["ansible_port"] = 1
        self.inventory.write_text(json.dumps(data))

    def bring_b_back(self) -> None:
        self.inventory.write_text(self.whole)

    def orch(self, *argv: str) -> Said:
        return self.place.orch(*argv)

    def allocs(self, name: str) -> dict[str, Any]:
        """Client status by id, of those that should run."""
        found = json.loads(self.orch("job", "allocs", "-json", name).out)
        wanted = [a for a in found if a["DesiredStatus"] == "run"]
        return {a["ID"]: (a["NodeName"], a["ClientStatus"]) for a in wanted}


@pytest.fixture
def fleet(
    background: Background,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[Fleet]:
    with place_on_two(background, tmp_path, FILES) as (made, _):
        place = replace(made, capsys=capsys, monkeypatch=monkeypatch)
        inventory = tmp_path / "inventory.yml"
        found = Fleet(place, inventory, inventory.read_text())
        assert found.orch(*APPLY).code == 0
        yield found
        found.bring_b_back()
        assert found.orch("stop", "-yes", "web", "pinned").code == 0


def test_a_host_that_does_not_answer_is_an_error_where_that_is_wanted(fleet: Fleet) -> None:
    fleet.lose_b()
    assert fleet.orch("plan").code == 4
    before = fleet.place.state
    for words in (("plan",), APPLY):
        said = fleet.orch(*words, "-on-unreachable=fail")
        assert (said.code, said.out) == (1, "")
        assert "host b is unknown: " in said.err
        assert "nothing was touched" in said.err
    assert fleet.place.state == before


def test_a_lost_host_is_replaced_and_what_was_replaced_ends_there_when_it_is_back(
    fleet: Fleet,
) -> None:
    web, pinned = fleet.allocs("web"), fleet.allocs("pinned")
    (there,) = (i for i, (node, _) in web.items() if node == "b")
    assert fleet.orch("plan", "-lost", "a").code == 1
    fleet.lose_b()
    said = fleet.orch("plan", "-lost", "b")
    assert f"replaces {there[:8]}: b is down" in said.out
    assert "Host b counts as lost" in said.err
    said = fleet.orch(*APPLY, "-lost", "b")
    assert said.code == 4, said  # nothing else takes the pinned one
    now = fleet.allocs("web")
    assert there not in now
    assert sorted(now.values()) == [("a", "running")] * 2
    # It stays decided, without being said again.
    assert "unknown" not in fleet.orch("plan").out
    fleet.bring_b_back()
    said = fleet.orch("plan")
    assert "still on b, though it was decided to stop" in said.out
    assert fleet.orch(*APPLY).code == 0
    assert fleet.allocs("web") == now
    assert fleet.allocs("pinned") == dict.fromkeys(pinned, ("b", "running"))
    assert fleet.orch("plan", "-detailed-exitcode").code == 0
    # It is lost no more: the next time nobody knows.
    fleet.lose_b()
    assert fleet.orch("plan").code == 4
