"""`orch host trust` on real hosts: keys are seen through jump hosts, and ssh believes them too."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from executors.known_hosts import fingerprint
from tests.acceptance.harness import Shop

pytestmark = pytest.mark.lab


@pytest.fixture
def chained(shop: Shop) -> Shop:
    """Hosts of whose keys nobody has told: h3 is reached through h2, and that through h1."""
    inventory = shop.repo / "inventory.yml"
    inventory.write_text(re.sub(r".*orch_host_key.*\n", "", inventory.read_text()))
    with (shop.repo / "orch.toml").open("a") as f:
        f.write('[ssh]\njump = "h1,h2"\nconfig = "none"\n')
    return shop.commit()


def known_hosts(shop: Shop) -> Path:
    return Path(shop.environment["HOME"]) / ".ssh/known_hosts"


def test_jump_hosts_are_trusted_before_they_are_used(chained: Shop) -> None:
    one, two, three = chained.hosts
    for host in chained.hosts:
        host.configure_sshd("LogLevel VERBOSE")
    unseen = chained.orch("host", "trust", "h3", "-json", code=1).data()
    assert [(x["Host"], x["State"], x["Jumps"]) for x in unseen] == [
        ("h1", "new", []),
        ("h2", "not seen", ["h1"]),
        ("h3", "not seen", ["h1", "h2"]),
    ]
    assert not known_hosts(chained).exists()
    error = chained.orch("hosts", "exec", "h3", "--", "true", code=4)
    assert "orch host trust h3" in error.out + error.err

    said = chained.orch("host", "trust", "h3", "-yes")
    told = [line.strip() for line in said.out.splitlines()]
    for host in chained.hosts:
        assert f"ssh-ed25519 {fingerprint(host.host_key)}" in told
    assert "the way to h3" in told
    assert f"{three.address} port 22, through h2" in told
    assert known_hosts(chained).read_text() == "".join(
        f"{h.address} {h.host_key}\n" for h in (one, two, three)
    )
    # nobody has logged in where a key was only looked at
    assert three.sh("grep -c Accepted /var/log/sshd.log || :").strip() == "0"
    assert [r["Result"] for r in chained.orch("host", "check", "-json").data()] == ["ok"] * 3


def test_ssh_believes_what_was_written(chained: Shop) -> None:
    chained.orch("host", "trust", "h1", "-yes")
    host = chained.hosts[0]
    options = {
        "UserKnownHostsFile": str(known_hosts(chained)),
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "IdentityFile": str(host.key_path),
    }
    words = [w for k, v in options.items() for w in ("-o", f"{k}={v}")]
    argv = ["ssh", "-F", "none", *words, f"root@{host.address}", "echo in"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.stdout == "in\n", done.stderr


def test_a_host_that_was_set_up_anew(chained: Shop) -> None:
    chained.orch("host", "trust", "all", "-yes")
    host = chained.hosts[1]
    host.sh(
        "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key"
    )
    host.stop_sshd()
    host.heal()
    new = " ".join(host.sh("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
    before = known_hosts(chained).read_text()
    refused = chained.orch("host", "trust", "all", "-yes", code=1)
    assert "h2: CHANGED" in refused.out
    assert known_hosts(chained).read_text() == before
    error = chained.orch("hosts", "exec", "h2", "--", "true", code=4)
    assert "orch host trust h2 -replace" in error.out + error.err
    done = chained.orch("host", "trust", "h2", "-replace", "-yes")
    assert "1 same, 1 replaced" in done.err
    assert known_hosts(chained).read_text().splitlines()[-1] == f"{host.address} {new}"
    chained.orch("hosts", "exec", "all", "--", "true")


def test_hosts_that_are_down_are_listed_and_the_others_trusted(chained: Shop) -> None:
    chained.hosts[1].stop_sshd()
    said = chained.orch("host", "trust", "all", "-yes", code=4)
    assert "h1: new" in said.out
    assert "h2: not seen" in said.out
    assert "h3: not seen" in said.out
    assert known_hosts(chained).read_text().count("\n") == 1
