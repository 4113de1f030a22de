"""Where images come from: a registry with a password, credentials in the job or on the host."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

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


KEEPER = f"""#!/bin/sh
read -r asked
[ "$1 $asked" = "get {registry.ADDRESS}" ] || exit 1
echo '{{"Username": "{registry.USER}", "Secret": "{registry.PASSWORD}"}}'
"""


def test_a_program_of_the_host_may_keep_the_password(dock: Shop, registries: list[LabHost]) -> None:
    config, program = Path(".docker/config.json"), Path("docker-credential-lab")
    for host in registries:
        registry.forget(host, TAG)
        keeper = host.root / "usr/bin" / program
        keeper.write_text(KEEPER)
        keeper.chmod(0o755)
        host.sh(f'mkdir -p /root/.docker; echo \'{{"credsStore": "lab"}}\' >/root/{config}')
    try:
        dock.job(alone(HTTP))
        dock.apply()
    finally:
        for host in registries:
            host.sh(f"rm /root/{config} /usr/bin/{program}")
    assert len(running(dock)) == 1


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


LOGIN = auth(registry.PASSWORD)


def site(tag: str, *, count: int = 1, config: str = "") -> str:
    """A job of an image of the registry, on as many hosts."""
    group = f"count = {count}\n{ONE_PER_HOST}"
    return alone(f"{registry.ADDRESS}/{tag}", f"{LOGIN}\n{config}", group=group)


def move(hosts: list[LabHost], tag: str, image: str) -> None:
    for host in hosts:
        registry.push(host, image, tag)


def image_ids(shop: Shop) -> set[str]:
    return {c["Image"] for c in running(shop)}


def own_id(host: LabHost, image: str) -> str:
    return docker(host, f"image inspect -f {{{{.Id}}}} {image}")


def test_a_version_keeps_its_digest_when_the_tag_moves(
    dock: Shop, registries: list[LabHost]
) -> None:
    one, two = (own_id(registries[0], f"http:{n}") for n in (1, 2))
    move(registries, "kept:1", "http:1")
    dock.job(site("kept:1"))
    dock.apply()
    move(registries, "kept:1", "http:2")
    dock.job(site("kept:1", count=2))
    dock.apply()
    assert len(running(dock)) == len(registries)
    assert image_ids(dock) == {one}
    versions = dock.orch("history", "-json", "alone").data()
    assert len({v["Images"][f"{registry.ADDRESS}/kept:1"] for v in versions}) == 1
    dock.assert_nothing_to_do()
    dock.job(site("kept:1", count=2, config="force_pull = true"))
    dock.apply()
    assert image_ids(dock) == {two}


def test_an_earlier_version_comes_back_as_it_was(dock: Shop, registries: list[LabHost]) -> None:
    one, two = (own_id(registries[0], f"http:{n}") for n in (1, 2))
    move(registries, "back:1", "http:1")
    dock.job(site("back:1"))
    dock.apply()
    # An image of the hosts alone: no registry knows it.
    dock.job(alone("http:2"))
    dock.apply()
    assert image_ids(dock) == {two}
    move(registries, "back:1", "http:2")
    dock.job(site("back:1"))
    dock.apply()
    assert image_ids(dock) == {one}
    dock.orch("stop", "-yes", "alone")
    dock.apply()
    assert image_ids(dock) == {two}


def test_a_saved_plan_is_refused_when_the_tag_has_moved(
    dock: Shop, registries: list[LabHost]
) -> None:
    move(registries, "bound:1", "http:1")
    dock.job(site("bound:1"))
    dock.orch("plan", "-out", "p", code=None)
    move(registries, "bound:1", "http:2")
    refused = dock.orch("apply", "p", code=3)
    assert f"image {registry.ADDRESS}/bound:1 of job alone" in refused.err
    assert running(dock) == []
    move(registries, "bound:1", "http:1")
    dock.orch("apply", "p")
    assert image_ids(dock) == {own_id(registries[0], "http:1")}


def asked_for(hosts: list[LabHost], repository: str) -> int:
    """How often the registries were asked for a manifest."""
    count = f"grep -c '/v2/{repository}/manifests/' /var/log/registry.log"
    return sum(int(h.sh(count, check=False) or 0) for h in hosts)


def test_what_several_jobs_run_is_asked_for_once(dock: Shop, registries: list[LabHost]) -> None:
    move(registries, "many:1", "http:1")
    image = f"{registry.ADDRESS}/many:1"
    before = asked_for(registries, "many")
    dock.orch("plan", "-out", "p", str(dock.job(alone(image, LOGIN, job="one"), "one")), code=None)
    by_one = asked_for(registries, "many") - before
    for name in ("two", "three"):
        dock.job(alone(image, LOGIN, job=name), name)
    before = asked_for(registries, "many")
    dock.orch("plan", "-out", "p", code=None)
    assert asked_for(registries, "many") - before == by_one > 0
    dock.orch("apply", "p")
    assert image_ids(dock) == {own_id(registries[0], "http:1")}
    assert len(running(dock)) == len(("one", "two", "three"))


def test_a_digest_that_only_the_pull_could_learn_stays_with_the_version(
    dock: Shop, registries: list[LabHost]
) -> None:
    """Nobody can ask before the begin: only where the task runs is it known who logs in."""
    move(registries, "late:1", "http:1")
    name = f"{registry.ADDRESS}/late:1"
    login = LOGIN.replace(f'"{registry.USER}"', '"${NOMAD_META_who}"')
    meta = f'meta {{\n who = "{registry.USER}"\n }}'
    dock.job(alone(name, login, group=meta))
    dock.apply()
    move(registries, "late:1", "http:2")
    dock.job(alone(name, login, group=f"{meta}\ncount = 2\n{ONE_PER_HOST}"))
    dock.apply()
    assert len(running(dock)) == len(registries)
    assert image_ids(dock) == {own_id(registries[0], "http:1")}
    versions = dock.orch("history", "-json", "alone").data()
    assert len({v["Images"][name] for v in versions}) == 1


def test_without_a_registry_the_hosts_own_image_says_its_digest(
    dock: Shop, registries: list[LabHost]
) -> None:
    name = f"{registry.ADDRESS}/down:1"
    move(registries, "down:1", "http:1")
    for host in registries:
        registry.login(host)
        docker(host, f"pull -q {name}")
        registry.logout(host)
        registry.end(host)
    try:
        dock.job(site("down:1", count=2))
        dock.apply()
    finally:
        for host in registries:
            registry.serve(host, TAG)
    assert image_ids(dock) == {own_id(registries[0], "http:1")}
    (version,) = dock.orch("history", "-json", "alone").data()
    assert version["Images"][name] in docker(registries[0], f"image inspect {name}")
