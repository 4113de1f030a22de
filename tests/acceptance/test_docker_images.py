"""Where images come from: a registry with a password, credentials in the job or on the host."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.acceptance.docker_specs import alone
from tests.acceptance.harness import Shop
from tests.acceptance.specs import ONE_PER_HOST
from tests.acceptance.test_docker import docker, running
from tests.lab import registry
from tests.lab.fixtures import refuse
from tests.lab.host import LabHost
from tests.lab.programs import LabUnavailableError

pytestmark = pytest.mark.lab

TAG = "http:2"
HTTP = f"{registry.ADDRESS}/{TAG}"


@pytest.fixture(scope="module")
def registries(docker_hosts: list[LabHost]) -> Generator[list[LabHost]]:
    """A registry on each docker host."""
    try:
        for host in docker_hosts:
            registry.serve(host, TAG)
    except LabUnavailableError as error:
        refuse(str(error))
    yield docker_hosts
    for host in docker_hosts:
        registry.end(host)


def auth(password: str, more: str = "") -> str:
    return f"""
        auth {{
          username = "{registry.USER}"
          password = "{password}"
        }}
        {more}
    """


@pytest.mark.parametrize(
    ("config", "logged_in", "said"),
    [
        (auth(registry.PASSWORD), False, ""),
        (auth("wrong"), False, "failed to pull"),
        ("", False, "no basic auth credentials"),
        ("", True, ""),
        (auth("wrong", "auth_soft_fail = true"), False, "no basic auth credentials"),
    ],
    ids=["right", "wrong", "none", "login on the host", "soft fail"],
)
def test_a_registry_with_a_password(
    dock: Shop, registries: list[LabHost], config: str, logged_in: bool, said: str
) -> None:
    for host in registries:
        registry.forget(host, TAG)
        if logged_in:
            registry.login(host)
    try:
        dock.job(alone(HTTP, config))
        done = dock.apply(code=5 if said else 0)
    finally:
        for host in registries:
            registry.logout(host)
    assert said in " ".join((done.out + done.err).split())
    assert registry.PASSWORD not in done.out + done.err
    assert len(running(dock)) == (not said)


def test_every_host_takes_the_digest_that_the_first_one_got(
    dock: Shop, registries: list[LabHost]
) -> None:
    for host in registries:
        registry.forget(host, TAG)
    # The second host's own image of that name is another one.
    docker(registries[1], f"tag http:1 {HTTP}")
    config = auth(registry.PASSWORD, "force_pull = true")
    group = f"count = 2\n{ONE_PER_HOST}"
    dock.job(alone(HTTP, config, group=group))
    dock.apply()
    assert len({c["Image"] for c in running(dock)}) == 1
    dock.assert_nothing_to_do()
