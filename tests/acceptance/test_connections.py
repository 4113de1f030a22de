"""How much of a host's sshd a command takes: one TCP connection, and few channels in it."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import ONE_PER_HOST, web
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

MANY = 24
ON_H1 = """
    constraint {
      attribute = "${node.unique.name}"
      value     = "h1"
    }
"""
# All that listens in a host's network is its sshd.
ACCEPTED = "awk '$1 == \"Tcp:\" { n = $7 } END { print n }' /proc/net/snmp"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Hosts on which nothing but sshd accepts connections."""
    for host in shop.hosts:
        listening = host.sh("awk 'FNR > 1 && $4 == \"0A\" { print $2 }' /proc/net/tcp*")
        assert {line.rpartition(":")[2] for line in listening.split()} == {"0016"}
    return shop


def accepted(host: LabHost) -> tuple[int, int]:
    """How many connections the host's kernel has accepted, and how many logins its sshd."""
    logins = host.sh("grep -c 'Accepted publickey for root' /var/log/sshd.log", check=False)
    return int(host.sh(ACCEPTED)), int(logins)


@contextmanager
def one_connection_each(shop: Shop) -> Generator[None]:
    """Within, every host accepts exactly one connection, and lets somebody in by it."""
    before = [accepted(h) for h in shop.hosts]
    yield
    after = [accepted(h) for h in shop.hosts]
    assert after == [(connections + 1, logins + 1) for connections, logins in before]


def test_every_command_connects_once_to_each_host(shop: Shop) -> None:
    for host in shop.hosts:
        host.configure_sshd("LogLevel VERBOSE")
    path = str(shop.job(web(count=3, group=ONE_PER_HOST)))
    with one_connection_each(shop):
        shop.orch("plan", path)
    with one_connection_each(shop):
        shop.apply()
    with one_connection_each(shop):
        shop.orch("plan", path)
    with one_connection_each(shop):
        watching = shop.start("status", "-watch", "-interval", "200ms", "web")
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("==> ")
        time.sleep(2)  # some looks more
        watching.send_signal(signal.SIGINT)
        assert watching.wait() == 0
    with one_connection_each(shop):
        following = shop.start("logs", "-f", "web")
        assert following.stdout is not None
        said = {following.stdout.readline().rpartition(" ")[2] for _ in range(3)}
        assert said == {f"web.g[{n}]\n" for n in range(3)}
        time.sleep(1)  # followers that went to look again would have by now
        following.terminate()
        following.wait()


def test_many_allocations_of_one_host_share_eight_channels(shop: Shop) -> None:
    host = shop.hosts[0]
    # sshd itself counts: it refuses the ninth
    host.configure_sshd("MaxSessions 8")
    for each in shop.hosts:
        each.configure_sshd("LogLevel VERBOSE")
    many = web(count=MANY, group=ON_H1).replace("max_parallel     = 1", f"max_parallel = {MANY}")
    path = str(shop.job(many))
    with one_connection_each(shop):
        shop.orch("plan", path)
    with one_connection_each(shop):
        applied = shop.apply()
    assert len(shop.live_allocs()) == MANY, applied.err
    assert {x.host for x in shop.live()} == {"h1"}

    before = accepted(host)
    following = shop.start("logs", "-f", "web")
    assert following.stdout is not None
    said = {following.stdout.readline().rpartition(" ")[2] for _ in range(MANY)}
    assert said == {f"web.g[{n}]\n" for n in range(MANY)}
    assert accepted(host) == (before[0] + 1, before[1] + 1)
    following.terminate()
    following.wait()
    until_gone(host, "orch-log")


def until_gone(host: LabHost, word: str) -> None:
    """Wait until no process of the host has this word in its command."""
    end = time.monotonic() + 30
    while word in host.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '", check=False):
        assert time.monotonic() < end, "it was left behind"
        time.sleep(0.1)
