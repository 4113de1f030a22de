"""The shop for acceptance tests, on newly installed hosts of the lab."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.acceptance.harness import Shop
from tests.lab import images
from tests.lab.fixtures import refuse
from tests.lab.fleet import Lab
from tests.lab.host import LabHost
from tests.lab.programs import LabUnavailableError


@pytest.fixture
def shop(fresh_lab: Lab, tmp_path: Path) -> Generator[Shop]:
    """A repository without jobs, a ledger without decisions, three hosts without a trace."""
    hosts = [fresh_lab.host(name) for name in ("h1", "h2", "h3")]
    shop = Shop(root=tmp_path, lab=fresh_lab, hosts=hosts).set_up()
    yield shop
    shop.close()
    fresh_lab.heal()


@pytest.fixture(scope="module")
def street(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    """One shop for the tests of a module, each of which has jobs of its own."""
    lab.reinstall()
    hosts = [lab.host(name) for name in ("h1", "h2", "h3")]
    shop = Shop(root=tmp_path_factory.mktemp("street"), lab=lab, hosts=hosts).set_up()
    yield shop
    shop.close()
    lab.heal()


@pytest.fixture(scope="session")
def docker_hosts(lab: Lab) -> list[LabHost]:
    """Hosts k1 and k2 of the lab, with dockerd and a few small images."""
    try:
        hosts = [lab.add(name, dockerd=True) for name in ("k1", "k2")]
        for host in hosts:
            images.load(host)
            host.sh(_KEEP_SETTINGS)
    except LabUnavailableError as error:
        refuse(str(error))
    return hosts


def empty(host: LabHost) -> None:
    """Undo faults, and take from a docker host all that tests left there but images."""
    host.heal()
    host.sh(_EMPTY)
    if "sshd_config" in host.sh(_CHANGED_SETTINGS):
        host.stop_sshd()
    host.sh(_RESTORE_SETTINGS)
    host.heal()


_EMPTY = "docker ps -aq | xargs -r docker rm -f >/dev/null; rm -rf /var/lib/orch"
# Who may log in, how, and what they may do there.
_SETTINGS = "/root/settings.tar"
_KEEP_SETTINGS = (
    f"tar -C /etc -cf {_SETTINGS} passwd shadow group gshadow subuid subgid sudoers.d ssh"
)
_CHANGED_SETTINGS = f"tar -C /etc -df {_SETTINGS} || :"
_RESTORE_SETTINGS = f"rm -rf /home/* /etc/sudoers.d /etc/ssh && tar -C /etc -xf {_SETTINGS}"


@pytest.fixture
def dock(lab: Lab, docker_hosts: list[LabHost], tmp_path: Path) -> Generator[Shop]:
    """A repository without jobs, and docker hosts without a container."""
    shop = Shop(root=tmp_path, lab=lab, hosts=docker_hosts).set_up()
    yield shop
    shop.close()
    for host in docker_hosts:
        empty(host)


@pytest.fixture(scope="session")
def three_docker_hosts(lab: Lab, docker_hosts: list[LabHost]) -> list[LabHost]:
    """Hosts k1 and k2, and k3 beside them."""
    third = lab.add("k3", dockerd=True)
    images.load(third)
    third.sh(_KEEP_SETTINGS)
    return [*docker_hosts, third]


@pytest.fixture
def trio(lab: Lab, three_docker_hosts: list[LabHost], tmp_path: Path) -> Generator[Shop]:
    """A repository without jobs, and three docker hosts without a container."""
    shop = Shop(root=tmp_path, lab=lab, hosts=three_docker_hosts).set_up()
    yield shop
    shop.close()
    for host in three_docker_hosts:
        empty(host)
