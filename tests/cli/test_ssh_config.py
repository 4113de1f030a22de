"""What ssh's configuration says counts for every command, and what is wrong in it is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cli.place import CONFIG, Place


@dataclass
class Told:
    """A place whose inventory has but a name; all else stands in a file for ssh."""

    place: Place
    text: str

    def file(self, name: str, text: str = "") -> Path:
        self.place.write(name, text or self.text)
        return self.place.clone / name


@pytest.fixture
def told(place: Place) -> Told:
    known = yaml.safe_load(Path(place.environment["ORCH_INVENTORY"]).read_text())
    host = known["all"]["hosts"]["dev"]
    address, port = host["ansible_host"], host["ansible_port"]
    (place.root / "known").write_text(f"[{address}]:{port} {host['orch_host_key']}\n")
    data = host.get("orch_data_dir")
    place.inventory(
        json.dumps({"all": {"hosts": {"dev": {"orch_data_dir": data} if data else {}}}})
    )
    return Told(
        place,
        f"Host dev\n HostName {address}\n Port {port}\n"
        f" IdentityFile {host['ansible_ssh_private_key_file']}\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {place.root}/known\n",
    )


def is_reached(place: Place) -> bool:
    said = place.orch("hosts", "exec", "all", "--", "echo", "hello")
    return said.code == 0 and "hello" in said.out


def test_the_environment_names_a_file(told: Told) -> None:
    told.file("ways")
    told.place.environment["ORCH_SSH_CONFIG"] = "ways"
    assert is_reached(told.place)
    assert told.place.orch("node", "status").code == 0
    told.place.environment["ORCH_SSH_CONFIG"] = "none"
    assert not is_reached(told.place)


def test_orch_toml_names_a_file_beside_it(told: Told) -> None:
    told.file("ssh/config")
    told.place.environment["ORCH_SSH_CONFIG"] = ""
    told.place.commit("orch.toml", f'{CONFIG}[ssh]\nconfig = "ssh/config"\n')
    told.place.cwd = told.place.clone / "ssh"
    assert is_reached(told.place)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.conf", "", "none.conf: no such file"),
        ("ways", "Host dev\n Port 'x\n", "ways:2: a ' is not closed"),
    ],
)
def test_a_file_of_no_use_is_an_error(told: Told, name: str, text: str, said: str) -> None:
    if text:
        told.file(name, text)
    told.place.environment["ORCH_SSH_CONFIG"] = name
    for command in (("plan",), ("hosts", "list"), ("hosts", "exec", "all", "--", "true")):
        done = told.place.orch(*command)
        assert done.code == 1
        assert said in done.err


def test_a_wrong_value_makes_its_hosts_unknown(told: Told) -> None:
    told.file("ways", "Host dev\n ProxyCommand cloud tunnel %h\n")
    told.place.environment["ORCH_SSH_CONFIG"] = "ways"
    done = told.place.orch("hosts", "exec", "all", "--", "true")
    assert done.code == 4
    assert "dev | ssh configuration: " in done.out
    assert "ways:2: ProxyCommand is not run" in done.out
    listed = told.place.orch("hosts", "list")
    assert listed.code == 0
    assert "ProxyCommand is not run" in listed.out


def test_hosts_list_shows_what_came_of_it(told: Told) -> None:
    text = f"{told.text}Host gate\n Port 2200\n User g\nHost dev\n ProxyJump gate,x@10.0.0.2\n"
    told.file("ways", f"{text} CanonicalizeHostname yes\n")
    told.place.environment["ORCH_SSH_CONFIG"] = "ways"
    table = told.place.orch("hosts", "list").out
    assert "gate → x@10.0.0.2" in table
    (host,) = json.loads(told.place.orch("hosts", "list", "-json").out)
    assert (host["Address"], host["Error"]) == ("127.0.0.1", "")
    ssh = host["SSH"]
    assert [(j["Name"], j["Port"], j["User"]) for j in ssh["Jumps"]] == [
        ("gate", 2200, "g"),
        ("x@10.0.0.2", 22, "x"),
    ]
    assert ssh["KnownAs"] == f"[127.0.0.1]:{host['Port']}"
    assert ssh["KnownHostsFiles"][0] == str(told.place.root / "known")
    assert ssh["IdentitiesOnly"]
    assert "CanonicalizeHostname is not followed" in ssh["Notes"][0]
