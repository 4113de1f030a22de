"""Containers handled from the command line: commands in them, signals, restarts, stops."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.acceptance.docker_specs import REDIS
from tests.acceptance.harness import Shop, finished
from tests.acceptance.test_docker import docker, running, the_one, where

pytestmark = pytest.mark.lab


def alloc(shop: Shop) -> str:
    (found,) = (a.id for a in shop.decided("example").allocs if not a.terminal)
    return found


def test_a_container_is_handled(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    first, found = the_one(dock), alloc(dock)

    said = dock.orch("alloc", "exec", "-i=false", "-t=false", found[:8], "redis-cli", "ping")
    assert said.out == "PONG\n"
    script = 'echo "$NOMAD_TASK_NAME"; echo bad >&2; exit 7'
    said = dock.orch("exec", found[:8], "redis", "--", "sh", "-c", script, code=7)
    assert (said.out, said.err) == ("redis\n", "bad\n")
    dock.orch("exec", found[:8], "--", "nosuchcommand", code=126)

    shown = dock.orch("alloc", "status", found[:8]).out
    assert re.search(r"\d+/500 MHz  [\d.]+ [KM]iB/256 MiB  300 MiB", shown), shown
    assert re.search(r"redis-cache  \(group\)  alive  healthiness  success", shown), shown

    dock.orch("alloc", "signal", "-s", "SIGCONT", found[:8])
    dock.orch("alloc", "restart", found[:8])
    again = the_one(dock)
    assert again["Id"] == first["Id"]
    assert again["State"]["StartedAt"] > first["State"]["StartedAt"]
    shown = dock.orch("alloc", "status", found[:8]).out
    for words in ("Signaling", "Restart Signaled", "Task restarting in 0s", "Total Restarts = 1"):
        assert words in shown, shown
    dock.assert_nothing_to_do()

    dock.orch("alloc", "stop", found[:8])
    (other,) = running(dock)
    assert other["Id"] != first["Id"]
    assert other["Config"]["Labels"]["orch.alloc"] == alloc(dock) != found
    dock.assert_nothing_to_do()
    dock.orch("exec", found[:8], "--", "true", code=125)


HUNG = (
    REDIS.replace('provider = "nomad"', 'provider = "consul"')
    .replace(
        'type     = "tcp"\n        interval = "10s"',
        """type     = "script"
        task     = "redis"
        command  = "redis-cli"
        args     = ["ping"]
        interval = "1s"
        check_restart {
          limit = 2
          grace = "1s"
        }""",
    )
    .replace(
        'ports = ["db"]',
        """ports = ["db"]
        command = "sh"
        args = ["-c", "[ ! -e /tmp/ran ] || exec redis-server; touch /tmp/ran; exec sleep 600"]""",
    )
)


def test_a_container_that_hangs_is_restarted_for_its_check(dock: Shop) -> None:
    dock.job(HUNG)
    said = dock.apply()
    assert 'check "alive" unhealthy, restarting redis' in said.err
    shown = dock.orch("alloc", "status", alloc(dock)).out
    assert re.search(r'Restart Signaled +healthcheck: check "alive" unhealthy\n', shown), shown
    assert re.search(r"Total Restarts += 1\n", shown), shown
    dock.assert_nothing_to_do()


CHATTY = """\
job "chatty" {
  update { min_healthy_time = "0s" }
  group "g" {
    count = 2
    task "t" {
      driver = "docker"
      config {
        image   = "redis:3.2"
        command = "sh"
        args    = ["-c", "@script@"]
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
"""


def printed_at(shop: Shop, container: dict[str, Any]) -> str:
    """When the first line on stdout was printed, as docker has it."""
    said = docker(where(shop, container), f"logs -t {container['Id']} 2>/dev/null")
    return said.split()[0]


def test_what_containers_print(dock: Shop) -> None:
    script = "trap 'echo got it' USR1; echo bad >&2; echo up; while :; do sleep 0.2; done"
    dock.job(CHATTY.replace("@script@", script))
    dock.apply()
    first, second = sorted(a.id for a in dock.decided("chatty").allocs)
    for each in (first, second):
        assert dock.logs(each[:8]) == "up\n"
        assert dock.logs("-stderr", each[:8]) == "bad\n"
    both = dock.orch("logs", "chatty").out.splitlines()
    assert sorted(line.partition(" | ")[2] for line in both) == ["up", "up"]
    # By docker's time, not by name.
    printed = {c["Config"]["Labels"]["orch.alloc"]: printed_at(dock, c) for c in running(dock)}
    order = sorted(printed, key=lambda a: printed[a])
    assert [line.split()[1] for line in both] == [a[:8] for a in order]
    assert dock.orch("alloc", "logs", "-tail", "-c", "3", first[:8]).out == "up\n"
    assert dock.orch("logs", "-n", "5", "-since", "1h", first[:8]).out == "up\n"

    following = dock.start("logs", "-f", first[:8])
    assert following.stdout is not None
    assert following.stdout.readline() == "up\n"
    dock.orch("alloc", "restart", first[:8])
    assert following.stdout.readline() == "up\n"
    dock.orch("alloc", "signal", "-s", "USR1", first[:8])
    assert following.stdout.readline() == "got it\n"
    dock.orch("alloc", "stop", first[:8])
    assert finished(following).out == ""
    assert dock.orch("logs", first[:8]).out == "up\nup\ngot it\n"
    assert dock.orch("logs", second[:8]).out == "up\n"
