"""What creating and starting costs: 30 tasks, and 30 containers, on 3 hosts of the lab.

orch's own CPU is that of `apply`, children included, less that of an `apply` of one allocation,
which is start-up, ledger and looks; per allocation that came on top. The wall time of containers is
held against the same ones made by a loop of the docker CLI on the hosts themselves. Root is needed,
for the lab; DRIVERS=raw_exec leaves docker out. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.harness import Shop
from tests.lab import images
from tests.lab.fleet import Lab
from tests.lab.host import LabHost

COUNT = 30
DRIVERS = os.environ.get("DRIVERS", "raw_exec,docker").split(",")
# CPU ms per allocation, and how much longer than the shell loop.
CPU, WALL = 10.0, 1.2
IMAGE = "redis:3.2"
TASKS = {
    "raw_exec": 'config {\n command = "/bin/sleep"\n args = ["86400"]\n }',
    "docker": f'config {{\n image = "{IMAGE}"\n }}',
}
JOB = """
job "{name}" {{
  update {{
    max_parallel     = {count}
    min_healthy_time = "0s"
  }}
  group "g" {{
    count = {count}
    task "main" {{
      driver = "{driver}"
      {task}
      resources {{
        cpu    = 20
        memory = 20
      }}
    }}
  }}
  spread {{
    attribute = "${{node.unique.name}}"
  }}
}}
"""
LOOP = f"for n in 1 2 3 4 5 6 7 8 9 10; do docker run -d --memory 20m {IMAGE} >/dev/null; done"
EMPTY = "docker ps -aq | xargs -r docker rm -f >/dev/null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds and seconds by the clock."""

    cpu: float
    wall: float


def applied(shop: Shop, driver: str, count: int) -> Cost:
    """Apply a new job of so many allocations."""
    name = f"{driver.replace('_', '-')}-{count}"
    text = JOB.format(name=name, count=count, driver=driver, task=TASKS[driver])
    path = str(shop.job(text, name))
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    shop.orch("apply", "-auto-approve", path)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu=cpu, wall=wall)


def looped(hosts: Sequence[LabHost]) -> float:
    """Return the seconds of the shell loops, side by side, on the hosts."""
    begin = time.monotonic()
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda h: h.sh(LOOP, timeout=600), hosts))
    return time.monotonic() - begin


def measured(shop: Shop, driver: str) -> bool:
    """Print a driver's row; return whether a target was missed."""
    applied(shop, driver, 2)
    one, all_of_them = applied(shop, driver, 1), applied(shop, driver, COUNT)
    each = (all_of_them.cpu - one.cpu) * 1000 / (COUNT - 1)
    loop, missed = "", each > CPU
    if driver == "docker":
        for host in shop.hosts:
            host.sh(EMPTY, timeout=600)
        by_hand = looped(shop.hosts)
        missed |= all_of_them.wall > WALL * by_hand
        loop = f"{by_hand:.1f}"
    said = "MISSED" if missed else "kept"
    print(
        f"| {driver} | {one.cpu:.2f} | {all_of_them.cpu:.2f} | {each:.1f} "
        f"| {all_of_them.wall:.1f} | {loop} | {said} |",
        flush=True,
    )
    return missed


def main() -> int:
    """Measure each driver on hosts of its own."""
    missed = False
    print("| driver | one, CPU s | all, CPU s | each, CPU ms | all, wall s | loop, wall s | |")
    print("|---|---|---|---|---|---|---|")
    with Lab() as lab, tempfile.TemporaryDirectory(prefix="orch-bench-") as top:
        for driver in DRIVERS:
            docker = driver == "docker"
            hosts = [lab.add(f"{driver[0]}{n}", dockerd=docker) for n in range(3)]
            root = Path(top, driver)
            root.mkdir()
            for host in hosts if docker else ():
                images.load(host)
            shop = Shop(root=root, lab=lab, hosts=hosts).set_up()
            missed |= measured(shop, driver)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
