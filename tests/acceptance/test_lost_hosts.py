"""A host that is gone for good, by somebody's word or after too long a silence; and its return."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import ONE_PER_HOST, Service
from tests.acceptance.test_hosts_down import host_of
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab

PAIR = Service(count=2, group=ONE_PER_HOST)
NAMES = ["web.g[0]", "web.g[1]"]
INTERRUPTED = 130


@pytest.fixture
def pair(shop: Shop) -> Shop:
    """A service on two of the three hosts."""
    with (shop.repo / "orch.toml").open("a") as config:
        config.write("[ssh]\nconnect_timeout = 6\n[reconcile]\nlost_after = 3\n")
    shop.job(PAIR.hcl())
    shop.apply()
    return shop


def where(shop: Shop) -> dict[str, list[str]]:
    """The hosts on which each name runs, cut off ones too."""
    found: dict[str, list[str]] = {}
    for task in shop.live():
        found.setdefault(task.name, []).append(task.host)
    return found


def test_a_host_that_is_lost_by_word_and_comes_back(pair: Shop) -> None:
    before = pair.live_allocs()
    lost = host_of(pair, "web.g[1]")
    lost.partition()
    pair.apply(code=4)
    assert where(pair)["web.g[1]"] == [lost.name]

    pair.orch("apply", "-auto-approve", "-lost", lost.name)

    # The old one runs on, where nobody can reach it, beside the one that replaces it.
    assert len(where(pair)["web.g[1]"]) == 2
    lost.heal()
    pair.apply()
    after = pair.live_allocs()
    assert sorted(after) == NAMES
    assert after["web.g[0]"] == before["web.g[0]"]
    assert after["web.g[1]"] != before["web.g[1]"]
    assert where(pair)["web.g[1]"] != [lost.name]
    pair.assert_nothing_to_do()


def test_a_host_that_is_lost_by_word_and_comes_back_to_a_new_version(pair: Shop) -> None:
    before = pair.live_allocs()
    lost = host_of(pair, "web.g[1]")
    lost.partition()
    pair.orch("apply", "-auto-approve", "-lost", lost.name)
    pair.job(replace(PAIR, greeting="changed").hcl())
    pair.apply(code=None)
    lost.heal()
    pair.apply()
    after = pair.live_allocs()
    assert sorted(after) == NAMES
    assert not set(after.values()) & set(before.values())
    pair.assert_nothing_to_do()


@contextmanager
def reconciling(shop: Shop) -> Generator[None]:
    """A loop over the repository, turn after turn."""
    loop = shop.start("reconcile", "-interval", "500ms", str(shop.repo))
    try:
        yield
    finally:
        loop.send_signal(signal.SIGTERM)
        _, err = loop.communicate(timeout=120)
    assert loop.returncode == INTERRUPTED, err
    assert "Traceback" not in err


def test_a_loop_replaces_what_is_silent_for_too_long_and_ends_it_when_it_is_back(
    pair: Shop,
) -> None:
    before = pair.live_allocs()
    lost = host_of(pair, "web.g[1]")
    with reconciling(pair):
        lost.partition()
        wait_for(lambda: len(where(pair)["web.g[1]"]) == 2, "one in the place of the lost one")
        lost.heal()
        wait_for(lambda: len(where(pair)["web.g[1]"]) == 1, "the end of the lost one")
    after = pair.live_allocs()
    assert sorted(after) == NAMES
    assert after["web.g[0]"] == before["web.g[0]"]
    assert after["web.g[1]"] != before["web.g[1]"]
    assert {a.id for a in pair.decided("web").allocs if not a.terminal} == set(after.values())
    pair.assert_nothing_to_do()
