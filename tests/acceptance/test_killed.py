"""kill -9 at every boundary of an apply: the next one goes on with what was decided."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from executors.boundary import Boundary
from planner.recorded import Desired
from tests.acceptance.harness import Shop, finished

pytestmark = pytest.mark.lab

# Passages that only an update of something that runs comes to.
UPDATING = [
    (Boundary.STOPPED, 1),
    (Boundary.UPDATED, 1),
    (Boundary.INTENDED, 2),
    (Boundary.JUDGED, 2),
]
# Nobody asks anything of these; tests/executors/test_requests.py has a run that dies answering.
ASKED = [(Boundary.ANSWERED, 1)]
ALWAYS = [(b, 1) for b in Boundary if (b, 1) not in (*UPDATING, *ASKED)]
PASSAGES = [*ALWAYS, *UPDATING, (Boundary.STARTED, 2)]


COMMANDS = ("raw_exec", 'command = "/bin/sleep"\n        args    = ["86400"]')


def two_groups(job: str, greeting: str, runs: tuple[str, str] = COMMANDS) -> str:
    """A job of which a new greeting replaces one group, and updates the other in place.

    `runs` is the driver and the config of its tasks, which stay the same.
    """
    driver, config = runs
    task = f"""
      driver = "{driver}"
      config {{
        {config}
      }}
      resources {{
        cpu    = 20
        memory = 10
      }}"""
    return f"""\
job "{job}" {{
  update {{
    min_healthy_time = "300ms"
    healthy_deadline = "90s"
  }}
  group "rolled" {{
    count = 2
    task "main" {{{task}
      env {{
        GREETING = "{greeting}"
      }}
    }}
  }}
  group "kept" {{
    task "main" {{{task}
    }}
  }}
}}
"""


@pytest.mark.parametrize(("boundary", "count"), PASSAGES, ids=lambda x: getattr(x, "name", x))
def test_the_next_apply_goes_on(street: Shop, boundary: Boundary, count: int) -> None:
    job = f"{boundary.name.lower()}{count}"
    path = street.job(two_groups(job, "hello"), job)
    if (boundary, count) in UPDATING:
        street.orch("apply", "-auto-approve", str(path))
    else:
        kill_and_go_on(street, job, boundary, count)
    first = street.live_allocs(job)

    path.write_text(two_groups(job, "changed"))
    street.commit()
    kill_and_go_on(street, job, boundary, count)

    assert street.orch("plan", "-detailed-exitcode", str(path), code=None).code == 0
    after = street.live_allocs(job)
    kept = f"{job}.kept[0]"
    assert after[kept] == first[kept]
    assert not (set(after.values()) & set(first.values())) - {after[kept]}


Living = Callable[[Shop, str], dict[str, str]]


def kill_and_go_on(
    shop: Shop, job: str, boundary: Boundary, count: int, living: Living = Shop.live_allocs
) -> None:
    """Kill one apply, look at what it had decided, apply again, and compare with the hosts.

    `living` tells the ids of what runs there, by name.
    """
    path = shop.repo / "jobs" / f"{job}.nomad.hcl"
    before = to_run(shop, job)
    killed = finished(shop.interrupted(signal.SIGKILL, boundary, path, count), None)
    assert killed.code == -signal.SIGKILL, killed.out + killed.err
    decided = to_run(shop, job) - before

    shop.orch("apply", "-auto-approve", str(path))

    running = living(shop, job)
    assert sorted(running) == [f"{job}.{g}" for g in ("kept[0]", "rolled[0]", "rolled[1]")]
    assert decided <= set(running.values())
    assert to_run(shop, job) == set(running.values())
    assert shop.runs() == []


def to_run(shop: Shop, job: str) -> set[str]:
    """The ids of the allocations that are decided to run."""
    return {a.id for a in shop.decided(job).allocs if a.desired is Desired.RUN}


@pytest.mark.parametrize("boundary", [Boundary.BEGUN, Boundary.ENROLLED], ids=lambda x: x.name)
def test_enrolment_survives_a_kill(shop: Shop, boundary: Boundary) -> None:
    shop.job(two_groups("first", "hello"), "first")

    kill_and_go_on(shop, "first", boundary, 1)

    listed = shop.orch("node", "status", "-verbose", "-json").data()
    by_host = {node["Name"]: node["ID"] for node in listed}
    assert by_host == {h.name: h.sh("cat /var/lib/orch/node/id").strip() for h in shop.hosts}
