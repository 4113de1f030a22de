"""How a host is reached: the inventory before orch.toml before ssh's configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executors.ssh_config.expand import Local
from executors.ssh_config.reader import ConfigFile, read
from executors.ssh_config.resolve import SshConfig
from executors.ssh_hop import Hop, Route
from executors.ssh_routes import Routes
from executors.ssh_settings import SshSettings
from executors.transport import HostError, HostFault
from inventory.load import load

LOCAL = Local(user="me", home="/home/me", hostname="here", environment={})
SETTINGS = SshSettings(agent="")


class Scene:
    """Files of one test, and the routes they make."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config"

    def route(
        self,
        host: str = "h1",
        inventory: str = "h1: {}",
        config: str = "",
        settings: SshSettings = SETTINGS,
    ) -> Route:
        self.file.write_text(config)
        sections = read((ConfigFile(path=str(self.file)),))
        targets = load(f"all: {{hosts: {{{inventory}}}}}", path="i.yml").targets
        return Routes(targets, settings, SshConfig(sections, LOCAL)).route(host)

    def refusal(self, config: str, inventory: str = "h1: {}") -> HostError:
        with pytest.raises(HostError) as caught:
            self.route(inventory=inventory, config=config)
        assert caught.value.fault is HostFault.CONFIG
        return caught.value


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def login(hop: Hop) -> str:
    return f"{hop.user}@{hop.address}:{hop.port}"


def logins(route: Route) -> list[str]:
    return [login(hop) for hop in route.hops]


CONFIG = "Host h1\n HostName h1.conf\n Port 2200\n User conf\n IdentityFile ~/conf\n"
ALL = "h1: {ansible_user: inv, ansible_port: 2222, ansible_ssh_private_key_file: /inv}"
TOML = replace(SETTINGS, user="toml", connect_timeout=3.0)


def test_without_a_word_from_anybody_it_is_the_name_and_who_runs_orch(scene: Scene) -> None:
    found = scene.route().target
    assert (login(found), found.connect_timeout) == ("me@h1:22", 10)
    assert (found.identities.files, found.identities.needed) == ((), False)
    assert found.known.files[0] == "~/.ssh/known_hosts"


def test_the_configuration_says_what_nobody_else_says(scene: Scene) -> None:
    found = scene.route(config=CONFIG + " ConnectTimeout 7\n ServerAliveInterval 9\n").target
    assert login(found) == "conf@h1.conf:2200"
    assert found.identities.files == ("/home/me/conf",)
    assert (found.connect_timeout, found.keepalive, found.keepalive_count) == (7, 9, 3)


def test_orch_toml_wins_over_the_configuration(scene: Scene) -> None:
    known = replace(TOML, known_hosts=("/known",))
    found = scene.route(config=f"{CONFIG} UserKnownHostsFile /conf\n", settings=known).target
    assert login(found) == "toml@h1.conf:2200"
    assert (found.connect_timeout, found.known.files) == (3, ("/known",))


def test_the_inventory_wins_over_all(scene: Scene) -> None:
    found = scene.route(inventory=ALL, config=CONFIG, settings=TOML).target
    assert login(found) == "inv@h1.conf:2222"
    assert (found.identities.files, found.identities.only) == (("/inv",), True)


def test_the_address_is_what_the_configuration_is_asked_about(scene: Scene) -> None:
    """As Ansible does: it gives ssh the address, never the inventory's name."""
    config = "Host h1\n User name\nHost 10.*\n User address\n"
    found = scene.route(inventory="h1: {ansible_host: 10.0.0.1}", config=config)
    assert logins(found) == ["address@10.0.0.1:22"]


ARGUMENTS = [
    ("-J gate", ["me@gate:22", "me@h1:22"]),
    ("-Jann@gate:2222,x", ["ann@gate:2222", "me@x:22", "me@h1:22"]),
    ("-o ProxyJump=gate -C -q", ["me@gate:22", "me@h1:22"]),
    ("-oProxyJump=none", ["me@h1:22"]),
    ("-o ControlMaster=auto -l bob -p 33 -L 1:h:2", ["bob@h1:33"]),
    ("-o 'User bob' -o Port=33 -vvv -o Foo=bar", ["bob@h1:33"]),
    ("-o ProxyCommand='ssh -W %h:%p -q ann@gate -p 2222'", ["ann@gate:2222", "me@h1:22"]),
    ("-o ProxyCommand='ssh -q gate nc %h %p'", ["me@gate:22", "me@h1:22"]),
    ("-o ProxyCommand='ssh -J first -l bob -W [%h]:%p x'", ["me@first:22", "bob@x:22", "me@h1:22"]),
    ("''", ["me@h1:22"]),
]


@pytest.mark.parametrize(("arguments", "expected"), ARGUMENTS)
def test_arguments_for_ssh_in_the_inventory(
    scene: Scene, arguments: str, expected: list[str]
) -> None:
    text = arguments.strip("'") if arguments == "''" else arguments
    inventory = f'h1: {{ansible_ssh_common_args: "{text}"}}'
    assert logins(scene.route(inventory=inventory)) == expected


def test_a_jump_in_the_inventory_wins(scene: Scene) -> None:
    inventory = 'h1: {ansible_ssh_common_args: "-J inv"}'
    settings = replace(SETTINGS, jump="toml")
    config = "Host h1\n ProxyJump conf\n"
    route = scene.route(inventory=inventory, config=config, settings=settings)
    assert logins(route) == ["me@inv:22", "me@h1:22"]
    assert logins(scene.route(config=config, settings=settings)) == ["me@toml:22", "me@h1:22"]
    assert logins(scene.route(config=config)) == ["me@conf:22", "me@h1:22"]


def test_each_hop_is_resolved_by_itself(scene: Scene) -> None:
    config = (
        "Host h1\n ProxyJump ann@first,second:2222\n User u\n IdentityFile /k1\n"
        "Host first\n HostName 10.0.0.1\n User f\n IdentityFile /kf\n HostKeyAlias gate\n"
        "Host second\n HostName 10.0.0.2\n User s\n Port 1\n"
        "Host second first\n ConnectTimeout 4\n"
    )
    route = scene.route(config=config)
    assert logins(route) == ["ann@10.0.0.1:22", "s@10.0.0.2:2222", "u@h1:22"]
    assert [hop.name for hop in route.hops] == ["ann@first", "second:2222", "h1"]
    assert [hop.identities.files for hop in route.hops] == [("/kf",), (), ("/k1",)]
    assert [hop.known_name for hop in route.hops] == ["gate", "[10.0.0.2]:2222", "h1"]
    assert [hop.connect_timeout for hop in route.hops] == [4, 4, 10]


def test_the_first_jump_host_may_have_its_own_and_the_others_have_theirs_before_them(
    scene: Scene,
) -> None:
    """As ``ssh -J`` does: what comes before a hop in the list is its way."""
    config = "Host h1\n ProxyJump a,b\nHost a\n ProxyJump c\nHost b\n ProxyJump d\n"
    assert [h.host for h in scene.route(config=config).hops] == ["c", "a", "b", "h1"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("Host *\n ProxyJump gate\n", "gate → gate"),
        ("Host h1\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n", "a → b → a"),
        ("Host h1\n ProxyJump h1\n", "h1 → h1"),
    ],
)
def test_a_circle_is_named(scene: Scene, config: str, said: str) -> None:
    error = scene.refusal(config)
    assert f"in a circle: {said}" in error.detail
    assert "ProxyJump none" in error.hint


def test_too_many_hops_are_refused(scene: Scene) -> None:
    error = scene.refusal("Host h1\n ProxyJump a,b,c,d,e,f,g,h,i\n")
    assert "more than 8 jump hosts" in error.detail


def test_jump_hosts_of_orch_toml_may_be_in_the_inventory(scene: Scene) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmpzXcwpZLQ1c+2Rw3XH8cR5tm1kz+3kyjSgkHeRk0N"
    gate = f'gate: {{ansible_host: 10.0.0.9, ansible_user: g, orch_host_key: "{key}"}}'
    inventory, settings = f"h1: {{}}, {gate}, a: {{}}", replace(SETTINGS, jump="gate,x@a")
    route = scene.route(inventory=inventory, settings=settings)
    assert logins(route) == ["g@10.0.0.9:22", "x@a:22", "me@h1:22"]
    assert route.jumps[0].known.keys == (key,)
    assert logins(scene.route("a", inventory, settings=settings)) == ["g@10.0.0.9:22", "me@a:22"]
    assert logins(scene.route("gate", inventory, settings=settings)) == ["g@10.0.0.9:22"]


def test_jump_hosts_of_the_configuration_are_not_those_of_the_inventory(scene: Scene) -> None:
    inventory = "h1: {}, gate: {ansible_host: 10.0.0.9}"
    route = scene.route(inventory=inventory, config="Host h1\n ProxyJump gate\n")
    assert logins(route) == ["me@gate:22", "me@h1:22"]


def test_orch_toml_s_user_is_for_jump_hosts_that_nobody_gives_one(scene: Scene) -> None:
    config = "Host h1\n ProxyJump a,b\nHost a\n User conf\n"
    route = scene.route(config=config, settings=replace(SETTINGS, user="toml"))
    assert logins(route) == ["conf@a:22", "toml@b:22", "toml@h1:22"]


def test_key_and_options_of_a_proxy_command_are_its_jump_host_s(scene: Scene) -> None:
    config = "Host h1\n ProxyCommand ssh -i /k -o HostKeyAlias=al -W %h:%p gate\n"
    jump = scene.route(config=config).jumps[0]
    assert (jump.identities.files, jump.known.alias) == (("/k",), "al")


@pytest.mark.parametrize("command", ["nc %h %p", "ssh gate", "ssh -W other:22 gate", "ssh -W 'a"])
def test_a_proxy_command_that_is_no_jump_is_refused(scene: Scene, command: str) -> None:
    error = scene.refusal(f"Host h1\n\n ProxyCommand {command}\n")
    assert error.detail == f"{scene.file}:3: ProxyCommand is not run"
    assert "ProxyJump" in error.hint


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Port many", "port: 'many' is not a number from 1 to 65535"),
        ("IdentitiesOnly perhaps", "identitiesonly: 'perhaps' is not yes or no"),
        ("ConnectTimeout soon", "connecttimeout: 'soon' is not a time"),
        ("ProxyJump -x", "'-x' is no jump host"),
        ("ProxyJump a:0", "'a:0' is no jump host"),
        ("HostName %x", "'%x' is no token here"),
        ("IdentityFile ${NONE}/x", "variable 'NONE' is not set"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_where_it_matters(
    scene: Scene, line: str, said: str
) -> None:
    error = scene.refusal(f"Host h1\n {line}\n")
    assert error.detail.startswith(f"{scene.file}:2: ")
    assert said in error.detail
    assert logins(scene.route(config=f"Host h2\n {line}\n")) == ["me@h1:22"]


def test_what_is_not_followed_is_noted(scene: Scene) -> None:
    config = (
        "CanonicalizeHostname yes\nPKCS11Provider none\nMatch exec true\n Port 1\n"
        "Match host h1 localnetwork 10.0.0.0/8\n Port 2\nMatch host h2 exec false\n Port 3\n"
    )
    route = scene.route(config=config)
    assert [n.removeprefix(f"{scene.file}:") for n in route.notes] == [
        "1: CanonicalizeHostname is not followed",
        "3: Match exec is not followed: it counts as not met",
        "5: Match localnetwork is not followed: it counts as not met",
    ]
    assert login(route.target) == "me@h1:22"


def test_checking_nothing_is_not_followed(scene: Scene) -> None:
    config = "StrictHostKeyChecking {}\nUserKnownHostsFile /dev/null\n"
    lax = scene.route(config=config.format("no")).target.known
    assert lax.files[0] == "~/.ssh/known_hosts"
    strict = scene.route(config=config.format("yes")).target.known
    assert strict.files[0] == "/dev/null"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [("-F x", "-F is not followed"), ("-o", "-o has no value"), ("-o 'User=a b'", "one value")],
)
def test_arguments_that_can_t_be_followed_are_named(
    scene: Scene, arguments: str, said: str
) -> None:
    error = scene.refusal("", f'h1: {{ansible_ssh_extra_args: "{arguments}"}}')
    assert said in error.detail
    assert "ansible_ssh_common_args of h1" in error.detail


def test_arguments_with_an_open_quote_are_named_with_their_place() -> None:
    from inventory.errors import InventoryError

    text = 'all:\n  hosts:\n    h1:\n      ansible_ssh_args: "-o \'User"\n'
    with pytest.raises(InventoryError, match=r"i\.yml:4:25: ansible_ssh_args: not a list of"):
        load(text, path="i.yml")
