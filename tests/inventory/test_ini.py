"""INI inventories: Ansible's values, its sections, and every problem with its line."""

from __future__ import annotations

import pytest

from inventory.errors import InventoryError
from inventory.load import load
from inventory.model import Host, Inventory

FLEET = """\
# the shop
mail.example.com ansible_port=2222   # on its own
web[01:02].example.com ansible_host=192.0.2.1
[web]
web[01:02].example.com colour="deep blue" beta:2200

[db]
db-a:2022 orch_reserved="{'memory': 2048}"

[stores:children]
db

[stores:vars]
ansible_user = deploy
orch_meta = {'rack': 7, 'ssd': True}
"""


def read(text: str) -> Inventory:
    return load(text, path="hosts.ini")


def problems(text: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read(text)
    return caught.value.message.splitlines()


def test_hosts_with_ports_ranges_and_variables() -> None:
    fleet = read(FLEET.replace(" beta:2200", ""))
    assert list(fleet.hosts) == [
        *("mail.example.com", "web01.example.com", "web02.example.com", "db-a")
    ]
    assert fleet.hosts["mail.example.com"].ssh.port == 2222
    assert fleet.hosts["web02.example.com"].ssh.address == "192.0.2.1"
    assert fleet.hosts["web02.example.com"].vars["colour"] == "deep blue"
    db = fleet.hosts["db-a"]
    assert (db.ssh.port, db.ssh.user, db.reserved.memory_mb) == (2022, "deploy", 2048)
    assert db.meta == {"rack": "7", "ssd": "true"}
    assert db.groups == ("all", "stores", "db")
    assert fleet.groups["ungrouped"].hosts == ("mail.example.com",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("5", 5), ("05", "05"), ("1.5", 1.5), ("True", True), ("true", "true"), ("yes", "yes")),
        *(("None", None), ("[1, 'a']", [1, "a"]), ("1,2", [1, 2]), ("{'a': 1}", {"a": 1})),
        *(("'5'", "5"), ("x # no comment", "x # no comment"), ("5 # a comment", 5), ("", "")),
        *(("...", "..."), ("1+2j", "(1+2j)"), ("b'x'", "x"), ("(" * 5000, "(" * 5000)),
    ],
)
def test_values_are_python_literals_or_text(text: str, value: object) -> None:
    assert read(f"h\n[all:vars]\nv = {text}\n").hosts["h"].vars["v"] == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[web]\nh1 ansible_port", "hosts.ini:2:1: expected NAME=VALUE after the host, got"),
        ("  h1 x='", "hosts.ini:1:3: not readable as a host: No closing quotation"),
        ("[web:hots]\nh1", "hosts.ini:1:1: [web:hots]: a section is of hosts, ':children' or"),
        ("[web servers]", "hosts.ini:1:1: [web servers] is no section"),
        ("[a:children]\nb", "hosts.ini:2:1: [a:children]: there is no group 'b'"),
        ("[a:vars]\nx=1", "hosts.ini:1:1: [a:vars]: there is no group 'a'"),
        ("[a]\n[a:vars]\nx", "hosts.ini:3:1: expected NAME=VALUE, got 'x'"),
        ("[a]\n[a:children]\nb c:d", "hosts.ini:3:1: "),
        ("h1 orch_port=1", "hosts.ini:1:1: unknown variable 'orch_port'"),
        ("h1 ansible_port=x", "hosts.ini:1:1: ansible_port: expected a whole number, got 'x'"),
        ("---", "hosts.ini:1:1: '---' is not a host name"),
        ("h1:", "hosts.ini:1:1: 'h1:' is not a host name"),
    ],
)
def test_problems_name_their_line(text: str, problem: str) -> None:
    assert any(line.startswith(problem) for line in problems(text))


def test_all_problems_come_at_once() -> None:
    assert len(problems("h1 x\n[a:vars]\n[b:children]\nc\n")) == 3


def test_a_file_without_an_ending_is_yaml_or_else_ini() -> None:
    def only(text: str) -> Host:
        (host,) = load(text, path="hosts").hosts.values()
        return host

    assert only("[web]\nh1\n").groups == ("all", "web")
    assert only("web:\n  hosts: {h1: }\n").groups == ("all", "web")
    assert only("h1\n").groups == ("all", "ungrouped")
