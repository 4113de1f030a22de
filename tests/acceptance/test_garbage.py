"""After a job was purged, and garbage collected, nothing of it is left on real hosts."""

from __future__ import annotations

import pytest

from tests.acceptance.docker_specs import REDIS
from tests.acceptance.harness import Shop
from tests.acceptance.specs import web
from tests.acceptance.test_docker import docker
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

# What belongs to the host itself, and to the cluster: no word of a job.
_KEPT = ("clusters", "clusters/CLUSTER", "clusters/CLUSTER/fences", "clusters/CLUSTER/floor",
         "alloc", "records", "node", "node/id", "format", "lock")  # fmt: skip
# Units and control groups.
_ELSEWHERE = "ls /etc/systemd/system /sys/fs/cgroup/pids 2>/dev/null || :"


def left(shop: Shop, host: LabHost) -> list[str]:
    """What lies in orch's directory beside what belongs to the host."""
    found = host.sh("cd /var/lib/orch && find . -mindepth 1 -printf '%P\\n' | sort").split()
    return [p for p in found if p.replace(shop.cluster, "CLUSTER") not in _KEPT]


def test_nothing_is_left_of_processes(shop: Shop) -> None:
    before = [h.sh(_ELSEWHERE) for h in shop.hosts]
    path = shop.job(web(3))
    shop.apply()
    shop.settle()
    path.write_text(path.read_text().replace("hello", "again"))
    shop.commit()
    shop.apply()
    shop.orch("stop", "-yes", "-purge", "web")
    said = shop.orch("system", "gc", "-yes")
    assert "3 fences" in said.out
    assert "3 fences" in said.out.splitlines()[-1]
    for host, was in zip(shop.hosts, before, strict=True):
        assert left(shop, host) == []
        assert host.sh(_ELSEWHERE) == was
    assert shop.live() == []
    assert shop.runs() == []
    assert shop.orch("system", "gc").out == "There is nothing to remove.\n"
    # The hosts take new decisions as before.
    shop.apply()
    assert len(shop.live_allocs("web")) == 3
    shop.assert_nothing_to_do()


def test_nothing_is_left_of_containers(dock: Shop) -> None:
    for host in dock.hosts:
        docker(host, "run -d --name theirs http:1")
        # As a run leaves it that was killed before its step.
        labels = f"--label orch.cluster={dock.cluster} --label orch.alloc=00000000-dead"
        docker(host, f"create --name orphan {labels} http:1")
        docker(host, "create --name others --label orch.cluster=other http:1")
    dock.job(REDIS)
    dock.apply()
    dock.job(REDIS.replace("redis:3.2", "redis:4.0"))
    dock.apply()
    listed = dock.orch("system", "gc", "-json").data()
    kinds = [item["Kind"] for item in listed]
    assert sorted(kinds) == ["allocation", "container", "container"]
    assert len(docker(dock.hosts[0], "ps -aq").split()) >= 3
    dock.orch("system", "gc", "-yes")
    dock.assert_nothing_to_do()
    (running,) = (h for h in dock.hosts if "redis" in docker(h, "ps --format {{.Names}}"))
    assert len(docker(running, "ps -aq").split()) == 3
    dock.orch("stop", "-yes", "-purge", "example")
    dock.orch("system", "gc", "-yes")
    for host in dock.hosts:
        names = docker(host, "ps -a --format {{.Names}}").split()
        assert sorted(names) == ["others", "theirs"]
        assert left(dock, host) == []
    assert dock.orch("system", "gc").out == "There is nothing to remove.\n"
