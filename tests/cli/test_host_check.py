"""`orch host check`: what hosts lack and how to mend it, without a trace of having looked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place, assert_fit_to_read, job, last

NAMES = [
    *("login", "host key", "shell", "tools", "data directory", "disk", "node", "clock"),
    *("sessions", "tcp forwarding", "socket forwarding", "systemd", "docker"),
]


@pytest.fixture
def three(place: Place) -> Place:
    """The host, one where nobody listens, and one that shows another key than it should."""
    known = yaml.safe_load(Path(place.environment["ORCH_INVENTORY"]).read_text())
    host = known["all"]["hosts"]["dev"]
    strange = {k: v for k, v in host.items() if k != "orch_host_key"}
    hosts = {"well": host, "gone": {**host, "ansible_port": 1}, "strange": strange}
    place.inventory(json.dumps({"all": {"hosts": hosts}}))
    return place


def test_all_of_one_host(place: Place) -> None:
    before = place.print_of()
    said = place.orch("host", "check")
    assert (said.code, last(said.err)) == (0, "1 host: 1 ok")
    title, header, *rows = said.out.splitlines()
    assert title == "Host dev: ok"
    assert header.split() == ["Check", "Result", "Detail"]
    for name in NAMES:
        assert sum(row.startswith(f"{name} ") for row in rows) == 1, name
    assert max(map(len, rows)) <= 80
    assert "enrolled, " in said.out
    assert_fit_to_read(said)
    assert place.print_of() == before


def test_an_inventory_without_hosts(place: Place) -> None:
    place.inventory("all: {hosts: {}}\n")
    said = place.orch("host", "check")
    assert (said.code, said.out) == (0, "No hosts in the inventory\n")
    assert last(said.err) == "0 hosts: none to look at"
    said = place.orch("host", "trust")
    assert (said.code, said.out) == (0, "")
    assert last(said.err) == "0 host keys: no hosts in the inventory"


def test_of_several_hosts_what_is_to_be_mended(three: Place) -> None:
    said = three.orch("host", "check")
    assert said.code == 4
    assert last(said.err) == "3 hosts: 1 ok, 2 not reached"
    rows = said.out.partition("\n\n")[0].splitlines()
    assert rows[0].split() == ["Host", "Check", "Result", "Detail"]
    assert rows[1].split()[:3] == ["well", "all", "ok"]
    assert rows[2].split()[:4] == ["gone", "login", "failed", "connection"]
    assert any(r.startswith("strange  host key  failed  host key unknown") for r in rows)
    steps = said.out.partition("\n\n")[2]
    assert steps.startswith("Next steps\nlogin on gone:\n  Is sshd running there")
    assert "host key on strange:\n" in steps
    assert_fit_to_read(said)


def test_as_json(three: Place) -> None:
    said = three.orch("host", "check", "-json", "well:gone")
    well, gone = json.loads(said.out)
    assert (well["Host"], well["Reached"], well["Result"]) == ("well", True, "ok")
    assert [f["Name"] for f in well["Findings"]] == NAMES
    assert (gone["Host"], gone["Reached"], gone["Result"]) == ("gone", False, "failed")
    (finding,) = gone["Findings"]
    assert set(finding) == {"Name", "Result", "Detail", "Remedy"}
    assert finding["Remedy"]


def test_two_names_of_one_machine_are_told(place: Place) -> None:
    known = yaml.safe_load(Path(place.environment["ORCH_INVENTORY"]).read_text())
    host = known["all"]["hosts"]["dev"]
    place.inventory(json.dumps({"all": {"hosts": {"a": host, "b": host}}}))
    said = place.orch("host", "check")
    assert said.code == 1
    assert said.out.count("is also that of another host") == 2
    assert last(said.err) == "2 hosts: 2 failed"


def test_a_data_directory_that_is_no_directory(three: Place) -> None:
    path = three.root / "file"
    path.write_text("")
    known = json.loads((three.clone / "inventory.yml").read_text())
    known["all"]["hosts"] = {"h": {**known["all"]["hosts"]["well"], "orch_data_dir": str(path)}}
    three.inventory(json.dumps(known))
    said = three.orch("host", "check", "h")
    assert said.code == 1
    assert f"{path} is no directory".replace(" ", "") in "".join(said.out.split())
    assert "or set orch_data_dir to another place" in " ".join(said.out.split())


def test_without_a_ledger_hosts_are_looked_at_all_the_same(place: Place) -> None:
    config = (place.clone / "orch.toml").read_text()
    place.commit("orch.toml", config.replace("../ledger.git", "https://127.0.0.1:1/none.git"))
    said = place.orch("host", "check")
    assert said.code == 0
    assert "nodes are not compared with it" in said.err


def docker_of(place: Place) -> dict[str, str]:
    (host,) = json.loads(place.orch("host", "check", "-json").out)
    (found,) = [f for f in host["Findings"] if f["Name"] == "docker"]
    return dict(found)


def test_what_no_job_asks_for_is_no_trouble_and_what_one_asks_for_is(place: Place) -> None:
    if docker_of(place)["Result"] == "ok":
        pytest.skip("docker answers here")
    assert docker_of(place)["Result"] == "not needed"
    text = job("boxed").replace('driver = "raw_exec"', 'driver = "docker"')
    config = 'config {\n        image = "busybox:1"\n        command = "sleep"\n'
    place.commit(
        "jobs/boxed.nomad.hcl", text.replace('config {\n        command = "sleep"', config)
    )
    found = docker_of(place)
    assert found["Result"] == "warning"
    assert found["Remedy"]
