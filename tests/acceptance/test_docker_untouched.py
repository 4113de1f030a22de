"""What dockerd must not notice, and saved plans that are bound to what dockerd has."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import pytest

from tests.acceptance.docker_specs import REDIS, redis
from tests.acceptance.harness import Shop
from tests.acceptance.test_docker import docker, running, the_one, where
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

CONFLICT = 3
# `alloc status` asks for the processes of a container: dockerd makes an event of that question.
LOOKED_AT = " container top "


def all_there_is(host: LabHost) -> list[list[dict[str, Any]]]:
    """Containers, images, networks and volumes, as dockerd tells in full."""
    told: list[list[dict[str, Any]]] = []
    for kind, listing in (
        ("container", "ps -aq --no-trunc"),
        ("image", "images -aq --no-trunc"),
        ("network", "network ls -q --no-trunc"),
        ("volume", "volume ls -q"),
    ):
        ids = sorted(set(docker(host, listing).split()))
        told.append(
            json.loads(docker(host, f"inspect --type {kind} {' '.join(ids)}")) if ids else []
        )
    for container in told[0]:
        container["Mounts"].sort(key=itemgetter("Destination"))  # docker has them in any order
    return told


@contextmanager
def dockerd_notices_nothing(shop: Shop) -> Generator[None]:
    """Within, dockerd of each host has no event, and afterwards everything is as before."""
    before = [(all_there_is(h), h.sh("date +%s.%N").strip()) for h in shop.hosts]
    yield
    for host, (state, since) in zip(shop.hosts, before, strict=True):
        events = docker(host, f"events --since {since} --until $(date +%s.%N)").splitlines()
        assert [e for e in events if LOOKED_AT not in e] == []
        assert all_there_is(host) == state


def test_what_only_reads_is_not_noticed_by_dockerd(dock: Shop) -> None:
    for host in dock.hosts:
        docker(host, "run -d --name theirs http:1")
    dock.job(REDIS)
    with dockerd_notices_nothing(dock):
        dock.orch("plan")
        dock.orch("node", "status", "-verbose")
    dock.apply()
    dock.job(redis(("redis:3.2", "redis:4.0"), ("count = 1", "count = 3")))
    with dockerd_notices_nothing(dock):
        dock.orch("plan", "-verbose")
        dock.orch("plan", "-json")
        dock.orch("plan", "-out", "saved.plan")
        dock.orch("status", "example")
        dock.orch("alloc", "status", alloc(dock))
        dock.orch("logs", "example")
        dock.orch("node", "status", "k1")
    docker(where(dock, ours(dock)), f"kill {ours(dock)['Id']}")
    with dockerd_notices_nothing(dock):
        dock.orch("plan", "-detailed-exitcode", code=2)


def ours(shop: Shop) -> dict[str, str]:
    (found,) = (c for c in running(shop) if "orch.alloc" in c["Config"]["Labels"])
    return found


def alloc(shop: Shop) -> str:
    return next(a.id for a in shop.decided("example").allocs if not a.terminal)


# ── saved plans ──────────────────────────────────────────────────────────────────────────────────


def saved_plan(shop: Shop) -> str:
    """Plan a third replica; return the file."""
    file = str(shop.root / "saved.plan")
    shop.job(redis(("count = 1", "count = 2")))
    planned = shop.orch("plan", "-out", file, "-detailed-exitcode", code=2)
    assert "1 create, 1 in-place update" in planned.out
    return file


def remove(shop: Shop) -> str:
    """Take the container away; say what a refusal must name."""
    found = the_one(shop)
    docker(where(shop, found), f"rm -f {found['Id']}")
    return "its container is gone"


def kill(shop: Shop) -> str:
    found = the_one(shop)
    docker(where(shop, found), f"kill {found['Id']}")
    return "allocation example.cache[0]"


def change_memory(shop: Shop) -> str:
    found = the_one(shop)
    edit = "update --memory 128m --memory-swap 128m"
    docker(where(shop, found), f"{edit} {found['Id']}")
    return "memory 256 MiB"


def exchange_image(shop: Shop) -> str:
    """Put a container of another image in its place."""
    found = the_one(shop)
    host, name = where(shop, found), found["Name"].removeprefix("/")
    labels = " ".join(f"-l {k}={v}" for k, v in found["Config"]["Labels"].items())
    docker(host, f"rm -f {name}")
    docker(host, f"run -d --name {name} {labels} redis:7")
    return "allocation example.cache[0]"


MOVED: list[Callable[[Shop], str]] = [remove, kill, change_memory, exchange_image]


@pytest.mark.parametrize("move", MOVED, ids=lambda x: x.__name__)
def test_a_saved_plan_is_refused_when_a_container_is_another(
    dock: Shop, move: Callable[[Shop], str]
) -> None:
    dock.job(REDIS)
    dock.apply()
    file = saved_plan(dock)
    named = move(dock)
    refs = dock.refs()
    with dockerd_notices_nothing(dock):
        refused = dock.orch("apply", file, code=CONFLICT)
    assert named in refused.err, refused.err
    assert dock.refs() == refs


def test_a_saved_plan_is_applied_from_another_clone(dock: Shop) -> None:
    dock.job(REDIS)
    dock.apply()
    first = the_one(dock)["Id"]
    file = saved_plan(dock)
    other = dock.cloned("other")
    shown = other.orch("show", file).out
    assert "1 create, 1 in-place update" in shown
    other.orch("apply", file)
    both = running(dock)
    assert len(both) == 2
    assert first in [c["Id"] for c in both]
    dock.assert_nothing_to_do()
    again = dock.orch("apply", file, code=CONFLICT)
    assert "another apply" in again.err
