"""A service under constant requests, from a client that goes by what `orch service info` tells.

Where new ones start first nothing of an update is to be felt: not one request fails.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.acceptance.harness import Shop
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab
# Shown with -o log_cli=true -o log_cli_level=INFO
log = logging.getLogger(__name__)

# Answers each request with its version.
SERVER = r"""
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 99, LocalPort => $ARGV[0], ReuseAddr => 1) or die $!;
while (my $c = $s->accept) {
    sysread $c, my $request, 4096;
    print $c qq(HTTP/1.0 200 OK\r\n\r\n$ENV{VERSION});
    close $c;
}
"""


def web(version: str, update: str = "", port: str = "", *, count: int = 2, delay: int = 5) -> str:
    """The job: servers, which say what they are; their end is put off by `delay` seconds."""
    return f"""\
job "web" {{
  update {{
    max_parallel     = 1
    min_healthy_time = "1s"
    healthy_deadline = "90s"
    {update}
  }}
  group "g" {{
    count          = {count}
    shutdown_delay = "{delay}s"
    network {{
      port "http" {{ {port} }}
    }}
    service {{
      name     = "front"
      provider = "nomad"
      port     = "http"
      check {{
        type     = "http"
        path     = "/"
        interval = "1s"
        timeout  = "5s"
      }}
    }}
    task "main" {{
      driver = "raw_exec"
      config {{
        command = "/usr/bin/perl"
        args    = ["-e", "${{SERVER}}", "${{NOMAD_PORT_http}}"]
      }}
      env {{
        SERVER  = <<EOS
{SERVER}
EOS
        VERSION = "{version}"
      }}
      resources {{
        cpu    = 20
        memory = 20
      }}
    }}
  }}
}}
"""


@dataclass(slots=True)
class Client:
    """Asks one address after the other, all the time, and reads addresses anew all the time."""

    shop: Shop
    addresses: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    failures: list[str] = field(default_factory=list[str])
    answers: dict[str, int] = field(default_factory=dict[str, int])
    # the longest time, in seconds, between two answers
    worst: float = 0.0
    # the longest time, in seconds, that reading the addresses took
    refresh: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> Client:
        self.read()
        for work in (self.follow, self.ask):
            thread = threading.Thread(target=work)
            thread.start()
            self.threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def tell(self) -> None:
        """Show what it came to."""
        log.info(
            "%s, %d failed, %.2f s without, %.1f s to refresh",
            *(self.answers, len(self.failures), self.worst, self.refresh),
        )

    def read(self) -> None:
        """Take the addresses that are published now; where none is, keep to those of before."""
        began = time.monotonic()
        told = self.shop.orch("service", "info", "-json", "front", code=None)
        assert told.code == 0 or 'No service(s) with prefix or name "front"' in told.err, told.err
        if told.code == 0:
            self.addresses = [(x["Address"], x["Port"]) for x in told.data()]
        self.refresh = max(self.refresh, time.monotonic() - began)

    def follow(self) -> None:
        while not self.ended.wait(1.0):
            self.read()

    def ask(self) -> None:
        last, turn = time.monotonic(), 0
        while not self.ended.wait(0.01):
            addresses = self.addresses
            turn += 1
            address = addresses[turn % len(addresses)]
            try:
                version = answer_of(address)
            except OSError as e:
                self.failures.append(f"{address}: {e}")
                continue
            now = time.monotonic()
            self.worst, last = max(self.worst, now - last), now
            self.answers[version] = self.answers.get(version, 0) + 1


def answer_of(address: tuple[str, int]) -> str:
    """What the server there says; `OSError` where none does."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = b""
        while chunk := connection.recv(4096):
            said += chunk
    head, _, body = said.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.0 200"):
        raise OSError(f"answer {head[:40]!r}")
    return body.decode()


def all_say(shop: Shop, version: str, count: int = 2) -> bool:
    found = shop.orch("service", "info", "-json", "front").data()
    said = [answer_of((x["Address"], x["Port"])) for x in found]
    return said == [version] * count


def patience(shop: Shop) -> int:
    """How many seconds an old one has to stay until each client has read that it goes.

    A reading of addresses that has begun before is followed by one that has not.
    """
    began = time.monotonic()
    shop.orch("service", "list")
    return max(15, int(6 * (time.monotonic() - began)))


def test_no_request_fails_through_an_update_and_a_rollback(shop: Shop) -> None:
    delay = patience(shop)
    shop.job(web("one", delay=delay))
    shop.apply()
    with Client(shop) as client:
        shop.job(web("two", delay=delay))
        shop.apply()
        wait_for(lambda: all_say(shop, "two"), "the new version alone")
        shop.git("revert", "--no-edit", "HEAD")
        shop.apply()
        wait_for(lambda: all_say(shop, "one"), "the old version alone")
    assert client.failures == []
    assert set(client.answers) == {"one", "two"}
    client.tell()


def promote_job(shop: Shop) -> None:
    shop.orch("job", "promote", "web")


def promote_deployment(shop: Shop) -> None:
    latest = shop.orch("job", "deployments", "-latest", "-json", "web").data()
    shop.orch("deployment", "promote", latest["ID"])


PROMOTIONS = [(1, promote_job), (2, promote_deployment)]


@pytest.mark.parametrize(("canaries", "promote"), PROMOTIONS, ids=["canary", "blue-green"])
def test_no_request_fails_through_a_promotion(
    shop: Shop, canaries: int, promote: Callable[[Shop], None]
) -> None:
    delay, update = patience(shop), f"canary = {canaries}"
    shop.job(web("one", update, delay=delay))
    shop.apply()
    with Client(shop) as client:
        shop.job(web("two", update, delay=delay))
        shop.apply(code=4)
        assert not all_say(shop, "two")
        promote(shop)
        wait_for(lambda: all_say(shop, "two"), "the new version alone")
    assert client.failures == []
    assert set(client.answers) == {"one", "two"}
    shop.assert_nothing_to_do()
    client.tell()


STATIC = "static = 8099"


def test_with_a_static_port_the_others_answer_meanwhile(shop: Shop) -> None:
    """On each of as many hosts as there are, where the old one has to stop first."""
    delay = patience(shop)
    shop.job(web("one", port=STATIC, count=3, delay=delay))
    shop.apply()
    with Client(shop) as client:
        shop.job(web("two", port=STATIC, count=3, delay=delay))
        shop.apply()
    assert client.failures == []
    assert all_say(shop, "two", count=3)
    client.tell()


def test_a_static_port_without_others_leaves_a_gap_that_ends(shop: Shop) -> None:
    shop.job(web("one", port=STATIC, count=1))
    shop.apply()
    with Client(shop) as client:
        shop.job(web("two", port=STATIC, count=1))
        shop.apply()
        wait_for(lambda: "two" in client.answers, "an answer of the new version")
    assert client.failures
    assert all_say(shop, "two", count=1)
    client.tell()
