"""Reading inventories: precedence, every variable, and every problem with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InventoryError, Problem
from inventory.load import load
from inventory.marked import SIZE_LIMIT
from inventory.model import Host, HostVolume, Inventory

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmpzXcwpZLQ1c+2Rw3XH8cR5tm1kz+3kyjSgkHeRk0N"

FLEET = """
all:
  vars:
    orch_datacenter: everywhere
    colour: grey
  children:
    web:
      hosts:
        web[01:03].example.org:
        web9: {ansible_host: 10.0.0.9, ansible_port: 2222, orch_datacenter: own}
      vars:
        orch_datacenter: web
        orch_node_class: small
      children:
        canary:
          hosts: {web9: }
          vars: {orch_datacenter: canary, orch_node_class: big}
    db:
      hosts: {db1: , web9: }
      vars: {orch_node_class: disks, colour: blue}
"""


def read(text: str) -> Inventory:
    return load(text, path="inv/inventory.yml")


def host(variables: str) -> Host:
    return read(f"all:\n  hosts:\n    h1: {{{variables}}}\n").hosts["h1"]


def problems(text: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read(text)
    return caught.value.message.splitlines()


def test_hosts_and_groups_keep_the_order_of_the_file() -> None:
    fleet = read(FLEET)
    names = ["web01.example.org", "web02.example.org", "web03.example.org", "web9", "db1"]
    assert list(fleet.hosts) == names
    assert fleet.groups["all"].hosts == tuple(names)
    assert fleet.groups["web"].hosts == tuple(names[:4])
    assert fleet.groups["web"].children == ("canary",)
    assert fleet.groups["db"].hosts == ("db1", "web9")
    assert fleet.hosts["web9"].groups == ("all", "db", "web", "canary")


@pytest.mark.parametrize(
    ("name", "datacenter", "node_class", "colour"),
    [
        ("db1", "everywhere", "disks", "blue"),  # `all` is the weakest
        ("web01.example.org", "web", "small", "grey"),  # a child group beats its parent
        ("web9", "own", "big", "blue"),  # the host beats all; deeper beats the alphabet
    ],
)
def test_precedence(name: str, datacenter: str, node_class: str, colour: str) -> None:
    found = read(FLEET).hosts[name]
    assert (found.datacenter, found.node_class) == (datacenter, node_class)
    assert found.vars["colour"] == colour


@pytest.mark.parametrize(("priority", "winner"), [("", "b"), ("ansible_group_priority: 2, ", "a")])
def test_siblings_win_by_alphabet_unless_they_have_a_priority(priority: str, winner: str) -> None:
    fleet = read(
        "a: {hosts: {h: }, vars: {" + priority + "orch_node_class: a}}\n"
        "b: {hosts: {h: }, vars: {orch_node_class: b}}\n"
    )
    assert fleet.hosts["h"].node_class == winner


VARIABLES: list[tuple[str, Callable[[Host], object], object]] = [
    ("", lambda h: h.ssh.address, "h1"),
    ("", lambda h: (h.ssh.port, h.ssh.user, h.ssh.key_path, h.ssh.become), (0, "", "", False)),
    ("", lambda h: (h.datacenter, h.node_pool, h.data_dir), ("dc1", "default", "")),
    ("ansible_host: 10.0.0.1", lambda h: h.ssh.address, "10.0.0.1"),
    ("ansible_ssh_host: 10.0.0.1", lambda h: h.ssh.address, "10.0.0.1"),
    ("ansible_port: '2222'", lambda h: h.ssh.port, 2222),
    ("ansible_user: deploy", lambda h: h.ssh.user, "deploy"),
    ("ansible_ssh_private_key_file: ~/.ssh/k", lambda h: h.ssh.key_path, "~/.ssh/k"),
    ("ansible_private_key_file: keys/k", lambda h: h.ssh.key_path, "inv/keys/k"),
    ("ansible_become: yes", lambda h: (h.ssh.become, h.ssh.become_user), (True, "root")),
    ("ansible_become: true, ansible_become_user: app", lambda h: h.ssh.become_user, "app"),
    ("orch_node_pool: gpu", lambda h: h.node_pool, "gpu"),
    ("orch_address: 10.1.0.1", lambda h: h.address, "10.1.0.1"),
    ("orch_data_dir: /srv/orch/", lambda h: h.data_dir, "/srv/orch"),
    (
        "orch_meta: {rack: 7, ssd: yes, note: , x: 1.5}",
        lambda h: h.meta,
        {"rack": "7", "ssd": "true", "note": "", "x": "1.5"},
    ),
    (
        "orch_host_volumes: {data: /srv/data, ro: {path: /etc, read_only: true}}",
        lambda h: h.host_volumes,
        {"data": HostVolume(path="/srv/data"), "ro": HostVolume(path="/etc", read_only=True)},
    ),
    (
        "orch_reserved: {cpu: 500, memory: 256, disk: 10, ports: '22,8000-8002'}",
        lambda h: (h.reserved.cpu, h.reserved.memory_mb, h.reserved.disk_mb, h.reserved.ports),
        (500, 256, 10, {22, 8000, 8001, 8002}),
    ),
    ("orch_reserved: {ports: [22, 80-81]}", lambda h: h.reserved.ports, {22, 80, 81}),
    (f"orch_host_key: {KEY} root@h1", lambda h: h.ssh.host_keys, (KEY,)),
    (f'orch_host_key: ["{KEY}"]', lambda h: h.ssh.host_keys, (KEY,)),
    ("other: {a: [1, null, no]}", lambda h: h.vars, {"other": {"a": [1, None, False]}}),
    ("ansible_python_interpreter: x", lambda h: h.vars, {"ansible_python_interpreter": "x"}),
]


@pytest.mark.parametrize(("variables", "seen", "value"), VARIABLES)
def test_variables(variables: str, seen: Callable[[Host], object], value: object) -> None:
    assert seen(host(variables)) == value


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ("ansible_port: 0", "ansible_port: 0 is not between 1 and 65535"),
        ("ansible_port: 70000", "ansible_port: 70000 is not between 1 and 65535"),
        ("ansible_port: many", "ansible_port: expected a whole number, got 'many'"),
        ("ansible_port: yes", "ansible_port: expected a whole number, got a boolean"),
        ("ansible_host: -oProxyCommand=x", "may not begin with '-' or hold blanks"),
        ("ansible_user: 'a b'", "may not begin with '-' or hold blanks"),
        ("ansible_become: maybe", "expected true or false, got 'maybe'"),
        ("ansible_become_method: su", "only sudo is supported"),
        ("ansible_connection: local", "hosts are reached by ssh only"),
        ("ansible_host: '{{ ip }}'", "ansible_host: 'ip' is undefined"),
        ("ansible_user: !vault xyz", "ansible_user: encrypted values are not read"),
        ("ansible_user: !other xyz", "a value tagged !other is not decoded"),
        ("orch_datacentre: x", "unknown variable 'orch_datacentre'; did you mean"),
        ("orch_datacenter: a b", "only letters, digits"),
        ("orch_datacenter: [x]", "expected text, got a list"),
        ("orch_address: web1", "'web1' is not an IP address"),
        ("orch_data_dir: data", "expected an absolute path without '..'"),
        ("orch_data_dir: /srv/../x", "expected an absolute path without '..'"),
        ('orch_data_dir: "/srv/\\nx"', "one line of 1 to 1024 printable characters"),
        ("orch_meta: x", "orch_meta: expected a mapping, got 'x'"),
        ("orch_meta: {a: [1]}", "a: expected text, got a list"),
        ("orch_host_volumes: {d: {read_only: yes}}", "a host volume needs a path"),
        ("orch_host_volumes: {'a b': /x}", "'a b' is not a volume name"),
        ("orch_reserved: {mem: 5}", "unknown key 'mem'"),
        ("orch_reserved: {cpu: -1}", "-1 is not between 0 and"),
        ("orch_reserved: {ports: 80-70}", "'80-70' is not a port or a range"),
        ("orch_host_key: h1 ssh-ed25519 AAAA", "without the host's name"),
        (f"orch_host_key: ssh-rsa {KEY.split()[1]}", "expected a public key such as"),
        ("orch_host_key: 5", "expected public key lines"),
    ],
)
def test_bad_variables_name_their_place(variables: str, problem: str) -> None:
    (line,) = problems(f"all:\n  hosts:\n    h1: {{{variables}}}\n")
    assert re.match(r"inv/inventory\.yml:3:\d+: ", line)
    assert problem in line


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", ": invalid YAML: "),
        ("- h1", "1:1: an inventory is a mapping of groups"),
        ("web: [h1]", "1:6: group 'web': expected hosts, children, vars"),
        ("web: {hots: {h1: }}", "1:7: group 'web': unknown key 'hots'; did you mean 'hosts'?"),
        ("web: {hosts: [h1]}", "1:14: group 'web': hosts is a mapping"),
        ("web: {hosts: {h1: 5}}", "1:19: host 'h1': expected a mapping of variables"),
        ("web: {hosts: {'::1': }}", "1:15: '::1' is not a host name; a port goes into"),
        ("web: {hosts: {'h/1': }}", "'h/1' is not a host name"),
        ("web: {hosts: {'h[3:1]': }}", "[3:1] is empty"),
        ("web: {hosts: {'h[1:a]': }}", "[1:a] is not a range"),
        ("web: {hosts: {'h[01:100]': }}", "both ends need as many digits"),
        ("web: {hosts: {'h[1:200][1:200]': }}", "stands for more than 10000 hosts"),
        ("web: {hosts: {h1: }}\nweb: {}", "2:1: duplicate key 'web': it is on line 1 already"),
        ("web: {children: {a: {children: {web: }}}}", "group 'web' is inside itself"),
        ("web: &w\n  hosts: *w", "an alias may not stand inside what it names"),
        ("? [a]\n: b", "a key must be plain text"),
        ("web: {vars: {<<: 5}}", "'<<' takes a mapping"),
        ("a: b\n---\nc: d", "invalid YAML: "),
        ("a: \x00", "invalid YAML: "),
    ],
)
def test_bad_structure_names_its_place(text: str, problem: str) -> None:
    assert any(problem in line for line in problems(text))


def test_all_problems_come_at_once() -> None:
    text = "web:\n  hots: {}\n  hosts:\n    h1: {ansible_port: 0}\n    h1: {orch_x: 1}\n"
    places = [line.split(": ")[0] for line in problems(text)]
    assert places == [f"inv/inventory.yml:{p}" for p in ("2:3", "4:24", "5:5")]


@pytest.mark.parametrize(
    "text",
    [
        "x" * (SIZE_LIMIT + 1),
        "[" * 100_000,
        "a: " * 1000,
        "- " * 1000,
        "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{i + 1}: &a{i + 1} [{','.join([f'*a{i}'] * 10)}]\n" for i in range(9)),
    ],
    ids=["size", "flow depth", "mapping depth", "list depth", "alias bomb"],
)
def test_bombs_are_refused(text: str) -> None:
    assert problems(text)


def test_merge_keys_and_aliases_work() -> None:
    text = "x: {vars: &v {orch_node_class: a}}\ny: {hosts: {h: {<<: *v, orch_node_pool: p}}}\n"
    found = read(text).hosts["h"]
    assert (found.node_class, found.node_pool) == ("a", "p")


def test_an_empty_inventory_has_no_hosts() -> None:
    assert dict(read("").hosts) == {}
    assert read("# nothing\n").groups["all"].hosts == ()


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["hosts", "vars", "children", "h1", "orch_meta", "ansible_port"]), inner
        )
    ),
    max_leaves=20,
)


def outcome(text: str) -> Inventory | tuple[Problem, ...]:
    try:
        return read(text)
    except InventoryError as e:
        return e.problems


@given(TREES)
def test_whatever_the_shape_it_loads_or_says_why(tree: object) -> None:
    assert outcome(json.dumps({"all": tree}))  # which is YAML


@given(st.text(max_size=60))
def test_whatever_the_text_it_loads_or_says_why(text: str) -> None:
    assert outcome(text)
