"""`orch host trust`: shows fingerprints before it writes, and overwrites none by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from executors.known_hosts import fingerprint
from tests.cli.liar import new_key, public
from tests.cli.place import Place, Said, assert_fit_to_read, last

OTHER = public(new_key())


@dataclass(frozen=True)
class Strange:
    """A place with a host whose key nobody vouched for."""

    place: Place
    key: str
    port: int

    @property
    def known_hosts(self) -> Path:
        return self.place.root / "home/.ssh/known_hosts"

    @property
    def clone(self) -> Path:
        return self.place.clone

    def orch(self, *argv: str) -> Said:
        return self.place.orch(*argv)

    def entry(self, key: str = "") -> str:
        return f"[127.0.0.1]:{self.port} {key or self.key}\n"

    def give(self, text: str) -> None:
        self.known_hosts.parent.mkdir(exist_ok=True)
        self.known_hosts.write_text(text)


@pytest.fixture
def strange(place: Place) -> Strange:
    """The host, of whose key nobody has told; and one where nobody listens."""
    known = yaml.safe_load(Path(place.environment["ORCH_INVENTORY"]).read_text())
    host = known["all"]["hosts"]["dev"]
    place.environment["ORCH_SSH_CONFIG"] = "none"
    key = str(host.pop("orch_host_key"))
    place.inventory(
        json.dumps({"all": {"hosts": {"web": host, "gone": {**host, "ansible_port": 1}}}})
    )
    return Strange(place, key, int(host["ansible_port"]))


def test_a_new_key_is_shown_and_written_once(strange: Strange) -> None:
    before = strange.orch("plan")
    assert "orch host trust web" in before.err
    said = strange.orch("host", "trust", "web", "-yes")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "web: new",
        f"  127.0.0.1 port {strange.port}",
        f"  ssh-ed25519 {fingerprint(strange.key)}",
    ]
    assert last(said.err) == "1 host key: 1 trusted (in ~/.ssh/known_hosts)"
    assert strange.known_hosts.read_text() == strange.entry()
    assert strange.known_hosts.stat().st_mode & 0o777 == 0o600
    assert strange.orch("hosts", "exec", "web", "--", "true").code == 0
    again = strange.orch("host", "trust", "web", "-yes")
    assert (again.code, again.out) == (0, "web: same\n")
    assert strange.known_hosts.read_text() == strange.entry()
    assert fingerprint(strange.key) in strange.orch("host", "trust", "-verbose", "web").out


def test_nothing_is_written_without_a_yes(strange: Strange) -> None:
    said = strange.orch("host", "trust", "web")
    assert said.code == 1
    assert fingerprint(strange.key) in said.out
    assert "without a terminal this needs approval; nothing was changed" in said.err
    assert_fit_to_read(said)
    assert not strange.known_hosts.exists()


@pytest.mark.parametrize(("answer", "code"), [(b"yes\n", 0), (b"y\n", 1)])
def test_on_a_terminal_it_asks_below_the_fingerprint(
    strange: Strange, answer: bytes, code: int
) -> None:
    typed = ((b"Only 'yes' will be accepted: ", answer),)
    ended, said = strange.place.on_a_terminal("host", "trust", "web", typed=typed)
    assert ended == code, said
    assert said.index(fingerprint(strange.key).encode()) < said.index(b"Write 1 key to ~/.ssh/")
    assert strange.known_hosts.exists() is (code == 0)


def test_a_changed_key_is_replaced_only_where_its_host_is_named(strange: Strange) -> None:
    text = f"# mine\nother {OTHER}\n{strange.entry(OTHER)}"
    strange.give(text)
    for words in (("all", "-yes"), ("web", "-yes"), ("w*", "-yes", "-replace")):
        said = strange.orch("host", "trust", *words)
        assert said.code == 1
        assert "web: CHANGED" in said.out
        assert fingerprint(OTHER) in said.out
        assert "~/.ssh/known_hosts:3" in said.out
        assert "orch host trust web -replace" in said.err
        assert strange.known_hosts.read_text() == text
    assert strange.orch("host", "trust", "web", "-replace").code == 1
    assert strange.known_hosts.read_text() == text
    said = strange.orch("host", "trust", "web", "-replace", "-yes")
    assert (said.code, last(said.err)) == (0, "1 host key: 1 replaced (in ~/.ssh/known_hosts)")
    assert strange.known_hosts.read_text() == f"# mine\nother {OTHER}\n{strange.entry()}"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_key_that_would_stay_trusted_keeps_it_from_being_replaced(
    strange: Strange, elsewhere: bool
) -> None:
    place = strange.place
    text = "" if elsewhere else f"{strange.entry(OTHER)}[127.0.0.*]:{strange.port} {OTHER}\n"
    second = place.root / "known2"
    second.write_text(strange.entry(OTHER) if elsewhere else "")
    strange.give(text)
    place.write("ways", f"UserKnownHostsFile ~/.ssh/known_hosts {second}\n")
    place.environment["ORCH_SSH_CONFIG"] = "ways"
    said = strange.orch("host", "trust", "web", "-replace", "-yes")
    assert said.code == 1
    line = f"{second}:1" if elsewhere else f"{strange.known_hosts}:2"
    assert f"web: another key is trusted by {line}" in said.err
    assert strange.known_hosts.read_text() == text
    assert_fit_to_read(said)


def test_lines_that_hold_no_key_are_passed_over(strange: Strange) -> None:
    name = strange.entry().split()[0]
    strange.give(f"{name} 1024 35 123456789\n{name} ssh-ed25519 AAAA\n")
    assert "orch host trust web" in strange.orch("plan").err
    for words in (("-json",), ("-verbose",)):
        said = strange.orch("host", "trust", "web", *words)
        assert (said.code, "Traceback" in said.err) == (1, False)
        assert "new" in said.out


def test_no_key_is_written_where_nothing_is_kept(strange: Strange) -> None:
    strange.place.write("ways", "UserKnownHostsFile /dev/null\n")
    strange.place.environment["ORCH_SSH_CONFIG"] = "ways"
    said = strange.orch("host", "trust", "web", "-yes")
    assert (said.code, "1 host key: 1 new" in said.err) == (1, True)
    assert "web: /dev/null keeps no keys" in said.err
    assert_fit_to_read(said)


def test_what_the_inventory_says_is_not_overruled(strange: Strange) -> None:
    inventory = json.loads((strange.clone / "inventory.yml").read_text())
    inventory["all"]["hosts"]["web"]["orch_host_key"] = OTHER
    strange.place.inventory(json.dumps(inventory))
    said = strange.orch("host", "trust", "web", "-replace", "-yes")
    assert said.code == 1
    assert "orch_host_key in the inventory decides" in said.err
    assert not strange.known_hosts.exists()


def test_a_revoked_key_stays_so(strange: Strange) -> None:
    text = f"@revoked * {strange.key}\n"
    strange.give(text)
    said = strange.orch("host", "trust", "web", "-replace", "-yes")
    assert (said.code, "web: REVOKED" in said.out) == (1, True)
    assert strange.known_hosts.read_text() == text


def test_hosts_that_are_not_reached_are_listed(strange: Strange) -> None:
    said = strange.orch("host", "trust", "-yes")
    assert said.code == 4
    assert "gone: not seen\n  connection refused: 127.0.0.1 port 1" in said.out
    assert "2 host keys: 1 trusted, 1 not seen" in said.err
    assert strange.known_hosts.read_text() == strange.entry()


def test_json_shows_and_writes_only_when_told_to(strange: Strange) -> None:
    said = strange.orch("host", "trust", "web:gone", "-json")
    assert said.code == 1
    web, gone = json.loads(said.out)
    assert web == {
        "Host": "web",
        "For": ["web"],
        "Address": "127.0.0.1",
        "Port": strange.port,
        "Jumps": [],
        "State": "new",
        "Type": "ssh-ed25519",
        "Fingerprint": fingerprint(strange.key),
        "Key": strange.key,
        "Known": [],
        "Written": "",
        "Error": "",
    }
    assert (gone["State"], "connection refused" in gone["Error"]) == ("not seen", True)
    assert not strange.known_hosts.exists()
    (web,) = json.loads(strange.orch("host", "trust", "web", "-json", "-yes").out)
    assert (web["State"], web["Written"]) == ("new", "~/.ssh/known_hosts")


def test_aliases_hashes_and_other_files_are_those_of_ssh(strange: Strange) -> None:
    config = "Host 127.0.0.1\n  HostKeyAlias the-web\n  HashKnownHosts yes\n"
    config += "  UserKnownHostsFile ~/keys\n"
    strange.give("")
    strange.place.environment["ORCH_SSH_CONFIG"] = ""
    (strange.place.root / "home/.ssh/config").write_text(config)
    assert strange.orch("host", "trust", "web", "-yes").code == 0
    assert strange.known_hosts.read_text() == ""
    text = (strange.place.root / "home/keys").read_text()
    assert text.startswith("|1|")
    assert "the-web" not in text
    assert strange.orch("hosts", "exec", "web", "--", "true").code == 0


def test_a_file_that_can_t_be_written_is_told(strange: Strange) -> None:
    config = (strange.clone / "orch.toml").read_text()
    strange.place.commit("orch.toml", f'{config}\n[ssh]\nknown_hosts = "/proc/none/known_hosts"\n')
    said = strange.orch("host", "trust", "web", "-yes")
    assert said.code == 1
    assert "/proc/none/known_hosts: " in said.err


@pytest.mark.parametrize("alias", ["*", "a,b", "|1|x|y", "!a", "@revoked"])
def test_a_name_that_would_stand_for_others_is_not_written(strange: Strange, alias: str) -> None:
    inventory = json.loads((strange.clone / "inventory.yml").read_text())
    web = inventory["all"]["hosts"]["web"]
    web["ansible_ssh_common_args"] = f"-o 'HostKeyAlias={alias}'"
    strange.place.inventory(json.dumps(inventory))
    said = strange.orch("host", "trust", "web", "-yes")
    assert said.code == 1
    assert "it would stand for other hosts" in " ".join(said.err.split())
    assert not strange.known_hosts.exists()


def test_a_way_that_can_t_be_found_is_told(strange: Strange) -> None:
    inventory = json.loads((strange.clone / "inventory.yml").read_text())
    inventory["all"]["hosts"]["web"]["ansible_ssh_common_args"] = "-o HostKeyAlias="
    strange.place.inventory(json.dumps(inventory))
    for flags in ((), ("-json",)):
        said = strange.orch("host", "trust", "web", "-yes", *flags)
        assert said.code == 4
        assert "hostkeyalias has no value" in said.out
