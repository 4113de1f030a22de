"""kill -9 at every boundary of an apply of containers: the next one goes on from there."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from executors.boundary import Boundary
from tests.acceptance.conftest import empty
from tests.acceptance.harness import Shop
from tests.acceptance.test_docker import docker, running
from tests.acceptance.test_killed import PASSAGES, kill_and_go_on, two_groups
from tests.lab.fleet import Lab
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

JOB = "quay"
CONTAINERS = ("docker", 'image = "redis:3.2"')


@pytest.fixture(scope="module")
def quay(
    lab: Lab, docker_hosts: list[LabHost], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Shop]:
    """Docker hosts on which a job runs that every test changes once more."""
    shop = Shop(root=tmp_path_factory.mktemp(JOB), lab=lab, hosts=docker_hosts).set_up()
    shop.job(two_groups(JOB, "hello", CONTAINERS), JOB)
    shop.apply()
    yield shop
    shop.close()
    for host in docker_hosts:
        empty(host)


def containers(shop: Shop, job: str) -> dict[str, str]:
    """Name → id of the allocations of the containers that run; none may run twice."""
    variables = [dict(v.split("=", 1) for v in c["Config"]["Env"]) for c in running(shop)]
    names = {v["NOMAD_ALLOC_NAME"]: v["NOMAD_ALLOC_ID"] for v in variables}
    assert len(names) == len(variables), variables
    return {name: alloc for name, alloc in names.items() if name.startswith(f"{job}.")}


def unbound(shop: Shop) -> list[str]:
    """Containers that were made and never started."""
    return [x for h in shop.hosts for x in docker(h, "ps -aq --filter status=created").split()]


@pytest.mark.parametrize(("boundary", "count"), PASSAGES, ids=lambda x: getattr(x, "name", x))
def test_the_next_apply_goes_on(quay: Shop, boundary: Boundary, count: int) -> None:
    first = containers(quay, JOB)
    path = quay.job(two_groups(JOB, f"{boundary.name} {count}", CONTAINERS), JOB)

    kill_and_go_on(quay, JOB, boundary, count, containers)

    after = containers(quay, JOB)
    assert set(after.values()) & set(first.values()) == {first[f"{JOB}.kept[0]"]}
    assert unbound(quay) == []
    assert quay.orch("plan", "-detailed-exitcode", str(path), code=None).code == 0
