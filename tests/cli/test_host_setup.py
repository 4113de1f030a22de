"""`orch host setup`: enrols hosts once, and prints what hosts have to grant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place, assert_fit_to_read, last


@pytest.fixture
def new(place: Place) -> Place:
    """The host under two names, each with a data directory that is not there; one is away."""
    known = yaml.safe_load(Path(place.environment["ORCH_INVENTORY"]).read_text())
    host = known["all"]["hosts"]["dev"]
    hosts = {
        "fresh": {**host, "orch_data_dir": str(place.root / "fresh/data")},
        "second": {**host, "orch_data_dir": str(place.root / "second")},
        "blocked": {**host, "orch_data_dir": "/proc/orch"},
        "gone": {**host, "ansible_port": 1},
    }
    place.inventory(json.dumps({"all": {"hosts": hosts}}))
    return place


def node_id(place: Place, data: str) -> str:
    return (place.root / data / "node/id").read_text().strip()


def test_hosts_are_enrolled_once(new: Place) -> None:
    said = new.orch("host", "setup", "fresh:second", "-yes")
    assert said.code == 0, said.err
    assert last(said.err) == "2 hosts: 2 enrolled"
    one, two = node_id(new, "fresh/data"), node_id(new, "second")
    assert one != two
    assert [line.split() for line in said.out.splitlines()] == [
        ["Host", "State", "Detail"],
        ["fresh", "enrolled", "node", one],
        ["second", "enrolled", "node", two],
    ]
    assert (new.root / "second").stat().st_mode & 0o777 == 0o711
    assert (new.root / "second/node/id").stat().st_mode & 0o777 == 0o600
    before = new.print_of(new.root / "fresh", new.root / "second")
    again = new.orch("host", "setup", "fresh:second", "-yes")
    assert (again.code, last(again.err)) == (0, "2 hosts: 2 already enrolled")
    assert new.print_of(new.root / "fresh", new.root / "second") == before


def test_nothing_is_done_without_approval(new: Place) -> None:
    said = new.orch("host", "setup", "fresh")
    assert said.code == 1
    assert "without a terminal this needs approval; nothing was changed" in said.err
    assert "Give -yes." in said.err
    assert "make " in said.out
    assert "write a random node id" in " ".join(said.out.split())
    assert not (new.root / "fresh").exists()
    assert_fit_to_read(said)


def test_what_can_t_be_set_up_is_told_and_the_others_are(new: Place) -> None:
    said = new.orch("host", "setup", "all", "-yes")
    assert said.code == 1
    assert last(said.err) == "4 hosts: 2 enrolled, 1 refused, 1 not reached"
    assert "Next steps\n" in said.out
    gone = new.orch("host", "setup", "gone", "-yes")
    assert gone.code == 4


def test_as_json(new: Place) -> None:
    said = new.orch("host", "setup", "fresh:gone", "-yes", "-json")
    fresh, gone = json.loads(said.out)
    assert fresh == {
        "Host": "fresh",
        "Outcome": "enrolled",
        "NodeID": node_id(new, "fresh/data"),
        "Steps": [f"make {new.root}/fresh/data (mode 0711, of root)", "write a random node id"],
        "Findings": [],
    }
    assert (gone["Outcome"], gone["Findings"][0]["Name"]) == ("not reached", "login")


def test_a_pattern_is_needed(new: Place) -> None:
    said = new.orch("host", "setup", "-yes")
    assert said.code == 1
    assert "orch host setup all" in said.err


def test_the_profile_names_what_differs(place: Place) -> None:
    place.inventory(
        "all:\n  vars: {ansible_user: deploy}\n  hosts:\n    a:\n    b:\n"
        "    c: {ansible_become: true}\n    d: {ansible_user: root, orch_data_dir: /srv/orch}\n"
    )
    said = place.orch("host", "setup", "-profile")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 100
    one, two, three = said.out.split("# What orch needs on ")[1:]
    assert one.startswith("a, b, and no more.")
    assert "enable-linger deploy" in one
    assert "sudoers" not in one
    assert "deploy ALL=(root) NOPASSWD: ALL" in two
    assert "/srv/orch" in three
    assert "#   ansible_user: orch\n" in three
    assert "docker" not in one.replace("dockerd's socket", "")
    profiles = json.loads(place.orch("host", "setup", "-profile", "a:c", "-json").out)
    assert [p["Hosts"] for p in profiles] == [["a"], ["c"]]


@pytest.mark.parametrize(("answer", "code"), [(b"yes\n", 0), (b"no\n", 1)])
def test_on_a_terminal_it_asks(new: Place, answer: bytes, code: int) -> None:
    typed = ((b"Only 'yes' will be accepted: ", answer),)
    ended, said = new.on_a_terminal("host", "setup", "fresh", typed=typed)
    assert ended == code, said
    assert said.index(b"to be enrolled") < said.index(b"Enrol these hosts?")
    assert (new.root / "fresh").exists() is (code == 0)
