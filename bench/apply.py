"""What creating and starting costs: 30 tasks, and 30 containers, on hosts of the lab.

orch's own CPU is that of `apply`, children included, less that of an `apply` of one allocation,
which is start-up, ledger and looks; per allocation that came on top. Containers are held against
the same ones made by a loop of `docker run -d` on the hosts themselves, in turns: by dockerd's own
clock, from the first one's creation to the last one's start, so that neither side's start-up
counts. The rows say the whole of `apply` too: beside that it plans, asks for the image's digest,
records, checks room and ports, writes records, and looks at what came of it. Medians of ROUNDS.
Root is needed, for the lab; DRIVERS=raw_exec leaves docker out. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import os
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.harness import Shop
from tests.lab import images
from tests.lab.fleet import Lab
from tests.lab.host import LabHost

COUNT = 30
ROUNDS = int(os.environ.get("ROUNDS", "3"))
DRIVERS = os.environ.get("DRIVERS", "raw_exec,docker").split(",")
# CPU ms per allocation, and how many times as long as the shell loop.
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
    ephemeral_disk {{
      size = 10
    }}
    task "main" {{
      driver = "{driver}"
      {task}
      logs {{
        max_files     = 1
        max_file_size = 1
      }}
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
LOOP = "for n in $(seq {count}); do docker run -d --memory 20m {image} >/dev/null; done"
EMPTY = "docker ps -aq | xargs -r docker rm -f >/dev/null"
TIMES = "docker ps -aq | xargs -r docker inspect --format '{{.Created}} {{.State.StartedAt}}'"
HEAD = """
| driver | hosts | one, CPU s | 30, CPU s | each, CPU ms | whole, s | started, s | loop, s | |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds, seconds by the clock, and those that the containers took by dockerd's."""

    cpu: float
    wall: float
    span: float = 0.0


def applied(shop: Shop, driver: str, count: int) -> Cost:
    """Apply a new job of so many allocations; its containers are removed afterwards."""
    name = f"{driver.replace('_', '-')}-{count}-{secrets.token_hex(3)}"
    text = JOB.format(name=name, count=count, driver=driver, task=TASKS[driver])
    path = str(shop.job(text, name))
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    shop.orch("apply", "-auto-approve", path)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    span = emptied(shop.hosts) if driver == "docker" else 0.0
    return Cost(cpu=cpu, wall=wall, span=span)


def emptied(hosts: Sequence[LabHost]) -> float:
    """Remove all containers; return the seconds from the first creation to the last start."""
    words = [w for h in hosts for w in h.sh(TIMES).split()]
    times = [datetime.fromisoformat(w[:26].rstrip("Z")) for w in words]
    for host in hosts:
        host.sh(EMPTY, timeout=600)
    return (max(times) - min(times)).total_seconds()


def looped(hosts: Sequence[LabHost]) -> float:
    """Make as many by shell loops, side by side; return the seconds that the containers took."""
    loop = LOOP.format(count=COUNT // len(hosts), image=IMAGE)

    def run(host: LabHost) -> str:
        return host.sh(loop, timeout=600)

    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(run, hosts))
    return emptied(hosts)


def measured(shop: Shop, driver: str) -> bool:
    """Print a driver's row; return whether a target was missed."""
    applied(shop, driver, 2)
    ones, alls, loops = list[Cost](), list[Cost](), list[float]()
    for _ in range(ROUNDS):
        ones.append(applied(shop, driver, 1))
        alls.append(applied(shop, driver, COUNT))
        if driver == "docker":
            loops.append(looped(shop.hosts))
    one, cpu = median(c.cpu for c in ones), median(c.cpu for c in alls)
    wall = median(c.wall for c in alls)
    each = (cpu - one) * 1000 / (COUNT - 1)
    missed, row = each > CPU, ""
    if loops:
        span, loop = median(c.span for c in alls), median(loops)
        missed |= span > WALL * loop
        row = f"{span:.1f} ({span / loop:.2f} times) | {loop:.1f}"
    print(
        f"| {driver} | {len(shop.hosts)} | {one:.2f} | {cpu:.2f} | {each:.1f} | {wall:.1f} "
        f"| {row or '|'} | {'MISSED' if missed else 'kept'} |",
        flush=True,
    )
    return missed


def main() -> int:
    """Measure each driver on hosts of its own, containers also on one of them alone."""
    missed = False
    print(HEAD.lstrip())
    with Lab() as lab, tempfile.TemporaryDirectory(prefix="orch-bench-") as top:
        for driver in DRIVERS:
            docker = driver == "docker"
            hosts = [lab.add(f"{driver[0]}{n}", dockerd=docker) for n in range(3)]
            for host in hosts if docker else ():
                images.load(host)
            for some in (hosts, hosts[:1]) if docker else (hosts,):
                root = Path(top, f"{driver}-{len(some)}")
                root.mkdir()
                shop = Shop(root=root, lab=lab, hosts=some).set_up()
                missed |= measured(shop, driver)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
