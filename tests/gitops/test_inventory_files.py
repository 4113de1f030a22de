"""Inventories on disk: directories, folders of variables, executables, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops.inventory_files import read_pattern, read_sources
from inventory.load import load_sources
from inventory.model import Inventory
from planner.errors import OrchError


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)


def read(root: Path, inventory: str) -> Inventory:
    return load_sources(
        read_sources(root / inventory, root, lambda p: str(p.relative_to(root)) or ".")
    )


def test_a_directory_is_read_file_by_file_and_below(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "inv/1.yml": "web: {hosts: {h1: }}",
            "inv/2": "[web]\nh2 a=1\n",
            "inv/more/3.ini": "[web:vars]\nansible_user=deploy\n",
            "inv/.hidden": "[",
            "inv/notes.md": "[",
            "inv/group_vars/web.yml": "orch_node_class: big",
            "inv/host_vars/h2/main": "ansible_port: 2222",
            "inv/host_vars/h2/.swap": "[",
        },
    )
    fleet = read(tmp_path, "inv")
    assert list(fleet.hosts) == ["h1", "h2"]
    two = fleet.hosts["h2"]
    assert (two.ssh.user, two.ssh.port, two.node_class) == ("deploy", 2222, "big")


def test_folders_beside_orch_toml_override_those_beside_the_inventory(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "inv/hosts.yml": "web: {hosts: {h1: }, vars: {orch_node_class: inline}}",
            "inv/group_vars/all.yml": "{orch_node_class: beside, orch_node_pool: beside}",
            "group_vars/all.yml": "orch_node_pool: base",
        },
    )
    host = read(tmp_path, "inv/hosts.yml").hosts["h1"]
    # a folder is stronger than what an inventory says of any group: Ansible's order
    assert (host.node_class, host.node_pool) == ("beside", "base")


def test_an_executable_inventory_is_asked_once_where_it_tells_all(tmp_path: Path) -> None:
    script = """#!/bin/sh
    echo "$@" >>"$0.asked"
    echo '{"web": {"hosts": ["h1"], "vars": {"ansible_user": "deploy"}},
           "_meta": {"hostvars": {"h1": {"ansible_port": 2222}}}}'
    """
    write(tmp_path, {"inv.sh": script})
    ssh = read(tmp_path, "inv.sh").hosts["h1"].ssh
    assert (ssh.user, ssh.port) == ("deploy", 2222)
    assert (tmp_path / "inv.sh.asked").read_text() == "--list\n"


def test_an_executable_inventory_is_asked_host_by_host_where_it_must_be(tmp_path: Path) -> None:
    script = """#!/bin/sh
    if [ "$1" = --list ]; then echo '{"web": ["h1", "h2"]}'
    else echo "{\\"orch_meta\\": {\\"me\\": \\"$2\\"}}"; fi
    """
    write(tmp_path, {"inv": script})
    fleet = read(tmp_path, "inv")
    assert [h.meta["me"] for h in fleet.hosts.values()] == ["h1", "h2"]


@pytest.mark.parametrize(
    ("files", "inventory", "message"),
    [
        ({"x": ""}, "inv.yml", r"inv\.yml: no such inventory"),
        ({"inv/notes.md": ""}, "inv", r"inv: no inventory in this folder"),
        ({"inv": "#!/bin/sh\necho a >&2; echo b >&2; exit 3\n"}, "inv", r"ended with 3: b$"),
        ({"inv": "#!/nowhere/sh\n"}, "inv", r"inv --list: no such file or directory"),
        ({"inv": "#!/bin/sh\nprintf '\\377'\n"}, "inv", r"inv --list: not UTF-8"),
        (
            {"inv": "#!/bin/sh\n[ $1 = --list ] && echo '[1]' || exit 1"},
            "inv",
            r"inv --list:1:1: it printed no JSON object",
        ),
        ({"inv": "#!/bin/sh\necho '{\"a\": [1]}'\n"}, "inv", r"'a': hosts is a list of names"),
        ({"inv": "#!/bin/sh\necho hello\n"}, "inv", r"inv --list:1:1: it printed no JSON: "),
        (
            {"i.yml": "h1: ", "group_vars/h1.yml": "- 1"},
            "i.yml",
            r"group_vars/h1.yml:1:1: a file of variables is a mapping",
        ),
        (
            {"i.yml": "w: {hosts: {h1: }}", "host_vars/h1": "ansible_port: x"},
            "i.yml",
            r"host_vars/h1:1:15: ansible_port: expected a whole number",
        ),
        ({"i.yml": "plugin: aws_ec2\nregions: [x]"}, "i.yml", r"i.yml:1:1: .*inventory plugin"),
    ],
)
def test_what_is_wrong_names_its_file(
    tmp_path: Path, files: dict[str, str], inventory: str, message: str
) -> None:
    write(tmp_path, files)
    with pytest.raises(Exception, match=message) as caught:
        read(tmp_path, inventory)
    assert getattr(caught.value, "exit_code", 0) == 1


def test_a_link_that_leads_back_is_no_endless_folder(tmp_path: Path) -> None:
    write(tmp_path, {"inv/a.yml": "h: "})
    (tmp_path / "inv" / "again").symlink_to(tmp_path / "inv")
    with pytest.raises(OrchError, match="nested more than 16 deep"):
        read(tmp_path, "inv")


def test_patterns_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "retry").write_text("# failed\nh1\n\nweb*\n")
    assert read_pattern("all,!@retry", tmp_path) == "all,!h1,!web*"
    assert read_pattern("@retry,&db", tmp_path) == "h1,web*,&db"
    assert read_pattern("a:b", tmp_path) == "a:b"
    assert read_pattern("a:@retry", tmp_path) == "a,h1,web*"
    with pytest.raises(OrchError, match="@nowhere: no such file"):
        read_pattern("@nowhere", tmp_path)
