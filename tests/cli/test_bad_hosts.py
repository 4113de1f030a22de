"""Hosts that are down, strange or hostile: unknown, with the reason; the others go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from executors.known_hosts import fingerprint
from tests.cli.background import Background
from tests.cli.cases import Case, check
from tests.cli.liar import Answer, a_gigabyte, changing, lying, new_key, public, saying, silent
from tests.cli.place import CONFIG, Place

TITLE = "Unknown hosts (nothing on them is changed, moved or forgotten):"


def beside(place: Place, name: str, variables: dict[str, str]) -> None:
    """Add a host to the inventory of the one that is well."""
    lines = [f"      {k}: {json.dumps(v)}\n" for k, v in variables.items()]
    well = (place.host.parent / "inventory.yml").read_text()
    place.inventory(f"{well}    {name}:\n{''.join(lines)}")


def of_dev(place: Place) -> dict[str, str]:
    """The variables that the host which is well is reached by."""
    lines = (place.host.parent / "inventory.yml").read_text().splitlines()[4:]
    return {k.strip(): str(json.loads(v)) for k, _, v in (line.partition(": ") for line in lines)}


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a host, what the table must say, and what stderr."""

    name: str
    change: Callable[[Place, dict[str, str]], dict[str, str]]
    reason: str
    hint: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def changed(**more: str) -> Callable[[Place, dict[str, str]], dict[str, str]]:
    return lambda _, variables: {**variables, **more}


def key_file(data: bytes, mode: int = 0o600) -> Callable[[Place, dict[str, str]], dict[str, str]]:
    def change(place: Place, variables: dict[str, str]) -> dict[str, str]:
        path = place.root / "key"
        path.write_bytes(data)
        path.chmod(mode)
        return {**variables, "ansible_ssh_private_key_file": str(path)}

    return change


def strange(place: Place, variables: dict[str, str]) -> dict[str, str]:
    del place
    return {k: v for k, v in variables.items() if k != "orch_host_key"}


FRESH = new_key()
OTHER = public(new_key())
SECRET = FRESH.export_private_key("openssh")
ENCRYPTED = FRESH.export_private_key("pkcs8-pem", passphrase="x")


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(
            "no key file",
            changed(ansible_ssh_private_key_file="/none/key"),
            "unreadable key: /none/key: No such file or directory",
            ("ansible_ssh_private_key_file",),
        ),
        Trouble("garbage for a key", key_file(b"garbage"), "is not a private key"),
        Trouble("an encrypted key", key_file(ENCRYPTED), "is encrypted", ("ssh-add",)),
        Trouble("an exposed key", key_file(SECRET, 0o644), "(mode 0644)", ("chmod 600",)),
        Trouble(
            "a key nobody let in",
            key_file(SECRET),
            "permission denied: user ",
            ("authorized_keys", "ansible_user"),
        ),
        Trouble(
            "another user",
            changed(ansible_user="nobody-of-this-name"),
            "permission denied: user 'nobody-of-this-name'",
        ),
        Trouble(
            "an unknown host key",
            strange,
            "SHA256:",
            ("ssh-keygen -lf", "  orch_host_key: "),
        ),
        Trouble(
            "a changed host key",
            changed(orch_host_key=OTHER),
            f"has ssh-ed25519 {fingerprint(OTHER)}",
            ("console",),
        ),
        Trouble(
            "nobody listens",
            changed(ansible_port="1"),
            "connection refused: ",
        ),
        Trouble(
            "a name without an address",
            changed(ansible_host="no-such-host.invalid"),
            "no-such-host.invalid",
        ),
    ],
    ids=str,
)
def test_a_host_that_lets_nobody_in(trouble: Trouble, place: Place) -> None:
    beside(place, "web2", trouble.change(place, of_dev(place)))
    case = Case(
        name=trouble.name,
        words=trouble.hint,
        out=(TITLE, "1 host is unknown", 'Job: "web"'),
        code=4,
    )
    said = check(case, place)
    assert trouble.reason in told(said.out)


def told(out: str) -> str:
    """The table of unknown hosts, without its line breaks."""
    table = out.partition(TITLE)[2].partition("\n\n")[0]
    assert max(len(line) for line in table.splitlines()) <= 80 or "SHA256" in table, table
    return " ".join(table.split())


def test_a_host_that_accepts_and_says_nothing(place: Place, background: Background) -> None:
    place.commit("orch.toml", f"{CONFIG}[ssh]\nconnect_timeout = 3\n")
    with background.serving(silent()) as port:
        beside(place, "web2", {**of_dev(place), "ansible_port": str(port)})
        said = check(Case(name="", words=("firewall",), out=(TITLE,), code=4), place)
    assert "accepts connections, but no login within 3 s" in told(said.out)


ESCAPES = b"\x1b[31mred\x1b]0;owned\x07\x1b[2J\r"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (a_gigabyte, "unusable output: the probe printed more than"),
        (saying(b""), "unusable output: "),
        (saying(b"{'not': json"), "unusable output: "),
        (saying(b"\xff\xfe\x00" * 99), "unusable output: "),
        (saying(ESCAPES), "unusable output: "),
        (saying(b"", ESCAPES, 7), "command failed: the probe: exit 7: red"),
        (saying(b"", b"This account is currently not available.\n", 1), "not available."),
        (changing(lambda out: out[: len(out) // 2]), "unusable output: "),
        (changing(lambda out: out.replace(b"linux", ESCAPES)), ""),
    ],
)
def test_a_host_that_lies(
    place: Place, background: Background, answer: Answer, reason: str
) -> None:
    key = Path(of_dev(place)["ansible_ssh_private_key_file"])
    with background.serving(lying(answer, key)) as liar:
        beside(place, "web2", liar.variables(key))
        code = 4 if reason else 0
        said = check(Case(name="", words=(), out=(TITLE if reason else "web",), code=code), place)
    assert reason in told(said.out) if reason else "web2" not in said.out
