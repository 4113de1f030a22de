"""Templates in variables: what they may say, what is refused, and that they stay small."""

from __future__ import annotations

import pytest

from inventory.errors import InventoryError
from inventory.load import load, load_sources
from inventory.model import Host
from inventory.source import InventoryFile, Sources, VariableFolder

FLEET = """
web:
  vars:
    domain: example.com
    fqdn: "{{ inventory_hostname }}.{{ domain }}"
    ansible_host: "{{ fqdn | lower }}"
    ansible_port: "{{ 2200 + number }}"
    orch_node_class: "{% if 'big' in group_names %}big{% else %}small{% endif %}"
    orch_meta: {rack: "r{{ number }}", first: "{{ groups['web'][0] }}", plain: x}
    orch_host_volumes: "{{ volumes }}"
    volumes: {data: "/srv/{{ inventory_hostname_short }}"}
    untouched: "{{ lookup('pipe', 'true') }}"
  hosts: {Web1: {number: 1}, web2: {number: 2}}
  children: {big: {hosts: {web2: }}}
"""


def host(variables: str) -> Host:
    return load(f"all:\n  hosts:\n    h1: {{{variables}}}\n", path="i.yml").hosts["h1"]


def test_variables_are_rendered_where_orch_reads_them() -> None:
    fleet = load(FLEET, path="i.yml")
    one, two = fleet.hosts["Web1"], fleet.hosts["web2"]
    assert (one.ssh.address, one.ssh.port, one.node_class) == ("web1.example.com", 2201, "small")
    assert (two.ssh.address, two.ssh.port, two.node_class) == ("web2.example.com", 2202, "big")
    assert one.meta == {"rack": "r1", "first": "Web1", "plain": "x"}
    assert two.host_volumes["data"].path == "/srv/web2"
    assert one.vars["untouched"] == "{{ lookup('pipe', 'true') }}"


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ('colour: x, ansible_user: "{{ color }}"', "'color' is undefined; did you mean 'colour'?"),
        ('ansible_user: "{{ user"', "ansible_user: not renderable: "),
        ('a: "{{ b }}", b: "{{ a }}", ansible_user: "{{ a }}"', "made of one another: a -> b -> a"),
        ('ansible_user: "{{ ansible_user }}"', "made of one another"),
        ('a: !vault x, ansible_user: "{{ a }}"', "'a' is encrypted; orch decrypts nothing"),
        ("ansible_user: \"{{ lookup('env', 'USER') }}\"", "'lookup' is undefined"),
        ('ansible_user: "{% for i in [1] %}x{% endfor %}"', "'for' is not for inventories"),
        ("ansible_user: \"{{ 'x' * 9999999 }}\"", "'*' takes numbers below"),
        ('ansible_port: "{{ 9 ** 99 }}"', "'**' takes exponents up to 64"),
        ("ansible_user: \"{{ 'x'.ljust(99999999) }}\"", "numbers up to 65536 may be passed"),
        ("ansible_user: \"{{ '%99999999s' % 1 }}\"", "'%' takes numbers below"),
        ("ansible_user: \"{{ 'x' | center(99999999) }}\"", "No filter named 'center'"),
        ("ansible_user: \"{{ ''.__class__ }}\"", "not renderable: "),
        ('ansible_port: "{{ 1 / 0 }}"', "not renderable: division by zero"),
        ('ansible_port: "{{ 70000 }}"', "70000 is not between 1 and 65535"),
        (f'ansible_user: "{{{{ 1 }}}}{"x" * 9000}"', "a template of more than 8192 characters"),
    ],
)
def test_what_cannot_be_rendered_says_why(variables: str, problem: str) -> None:
    with pytest.raises(InventoryError) as caught:
        host(variables)
    assert problem in caught.value.message
    assert caught.value.message.startswith("i.yml:3:")


def test_text_that_is_said_to_be_unsafe_stays_as_it_is() -> None:
    assert host('orch_meta: {a: !unsafe "{{ x }}"}').meta == {"a": "{{ x }}"}


def test_growth_by_doubling_is_stopped() -> None:
    doubled = ", ".join(f'v{n}: "{{{{ v{n + 1} }}}}{{{{ v{n + 1} }}}}"' for n in range(30))
    with pytest.raises(InventoryError, match="longer than 65536 characters"):
        host(f'{doubled}, v30: xxxxxxxx, orch_meta: {{a: "{{{{ v0 }}}}"}}')


def test_encrypted_files_are_passed_over_and_named_where_something_is_missing() -> None:
    vault = "$ANSIBLE_VAULT;1.1;AES256\n6162\n"
    folder = VariableFolder(texts={"group_vars/all/vault.yml": vault})
    text = 'h: {hosts: {h1: {ansible_user: "%s"}}}'

    def read(user: str) -> Host:
        file = InventoryFile(path="i.yml", text=text % user)
        return load_sources(Sources(path="i.yml", files=(file,), folders=(folder,))).hosts["h1"]

    assert read("deploy").ssh.user == "deploy"
    with pytest.raises(
        InventoryError, match=r"undefined.*; encrypted files are not read: .*/vault"
    ):
        read("{{ vault_user }}")
