"""Tasks with hooks on real hosts, as containers and as processes: one after the other, and the
hosts see to it alone."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.harness import Shop
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab


def task(driver: str, name: str, script: str, life: str = "") -> str:
    image = '\n        image = "redis:3.2"' if driver == "docker" else ""
    return f"""
    task "{name}" {{
      driver = "{driver}"
      config {{{image}
        command = "/bin/sh"
        args    = ["-c", "{script}"]
      }}
      kill_signal = "SIGTERM"
      restart {{
        attempts = 1
        delay    = "1s"
        mode     = "fail"
      }}
      resources {{
        cpu    = 20
        memory = 16
      }}
      {life}
    }}"""


def hook(name: str, *, sidecar: bool = False) -> str:
    return f"""lifecycle {{
        hook    = "{name}"
        sidecar = {str(sidecar).lower()}
      }}"""


NOTE = "echo $NOMAD_TASK_NAME >>$NOMAD_ALLOC_DIR/data/order; "
EVER = NOTE + "trap 'exit 0' TERM; while :; do sleep 0.1; done"


def sequence(driver: str, kind: str, main: str) -> str:
    tasks = [
        task(driver, "pre", NOTE + "sleep 0.5", hook("prestart")),
        task(driver, "side", EVER, hook("prestart", sidecar=True)),
        task(driver, "main", main),
        task(driver, "after", NOTE + "exit 0", hook("poststart")),
        task(driver, "last", NOTE + "exit 0", hook("poststop")),
    ]
    times = 'update {\n    min_healthy_time = "1s"\n    healthy_deadline = "90s"\n  }'
    return f"""\
job "seq" {{
  type = "{kind}"
  {times if kind == "service" else ""}
  group "g" {{{"".join(tasks)}
  }}
}}
"""


def events(shop: Shop, name: str = "seq") -> dict[str, list[str]]:
    alloc = shop.decided(name).allocs[-1].id
    shown = json.loads(shop.orch("alloc", "status", "-json", alloc).out)
    tasks = shown["TaskStates"]
    return {n: [e["Type"] for e in t["Events"]] for n, t in tasks.items()}


def order(shop: Shop, name: str = "seq") -> list[str]:
    alloc = shop.decided(name).allocs[-1]
    path = f"/var/lib/orch/alloc/{alloc.id}/alloc/data/order"
    return shop.lab.host(alloc.node).sh(f"cat {path}").split()


@pytest.mark.parametrize("driver", ["raw_exec", "docker"])
def test_a_service_with_hooks_comes_up_and_goes_down_in_their_order(
    dock: Shop, driver: str
) -> None:
    dock.job(sequence(driver, "service", EVER))
    dock.apply()
    found = order(dock)
    assert set(found[:2]) == {"pre", "side"}
    assert found[2:] == ["main", "after"]
    dock.assert_nothing_to_do()
    dock.orch("stop", "-auto-approve", "seq")
    assert order(dock)[4:] == ["last"]
    told = events(dock)
    assert told["side"][-3:] == ["Killing", "Terminated", "Killed"]
    assert told["main"][-3:] == ["Killing", "Terminated", "Killed"]
    assert told["after"][-1] == told["pre"][-1] == told["last"][-1] == "Terminated"


@pytest.mark.parametrize("driver", ["raw_exec", "docker"])
def test_the_end_of_a_batch_main_task_ends_its_sidecar_with_nobody_connected(
    dock: Shop, driver: str
) -> None:
    gate = "$NOMAD_ALLOC_DIR/data/gate"
    dock.job(sequence(driver, "batch", f"{NOTE}while [ ! -e {gate} ]; do sleep 0.1; done"))
    dock.apply()
    alloc = dock.decided("seq").allocs[-1]
    host = dock.lab.host(alloc.node)
    wait_for(lambda: order(dock)[2:] == ["main", "after"], "what comes after the main task")
    host.sh(f"touch /var/lib/orch/alloc/{alloc.id}/alloc/data/gate")
    released = f"[ -e /var/lib/orch/records/{alloc.id}/released ] && echo yes || :"
    wait_for(lambda: host.sh(released) == "yes\n", "the end of all tasks")
    assert order(dock)[4:] == ["last"]
    assert events(dock)["side"][-4:] == ["Main Tasks Dead", "Killing", "Terminated", "Killed"]
    assert "complete" in dock.orch("status", "seq").out
    dock.assert_nothing_to_do()


@pytest.mark.parametrize("driver", ["raw_exec", "docker"])
def test_a_prestart_task_that_fails_for_good_fails_the_deployment(dock: Shop, driver: str) -> None:
    text = sequence(driver, "service", EVER).replace("sleep 0.5", "exit 3")
    text = text.replace("task", "reschedule {\n attempts = 0\n unlimited = false\n }\n task", 1)
    dock.job(text)
    said = dock.apply(code=5)
    assert "seq.g[0]" in said.out + said.err
    found = order(dock)
    assert found.count("pre") == 2  # it was tried once more
    assert "main" not in found
    told = events(dock)
    assert "Not Restarting" in told["pre"]
    assert "Sibling Task Failed" in told["main"]
    assert "Started" not in told["main"]
