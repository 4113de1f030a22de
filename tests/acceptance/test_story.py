"""The getting-started story, told on three real hosts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import ONE_PER_HOST, web

pytestmark = pytest.mark.lab

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When one task ran, by its own clock; `ended` is 0 while it runs.

    `started` is when its supervisor has made it run, from where its health counts.
    """

    name: str
    started: int
    began: int
    ended: int


def spans(shop: Shop) -> list[Span]:
    """All tasks that ever ran, as they noted it themselves."""
    shop.settle()
    script = r"""
    for d in /var/lib/orch/alloc/*/; do
        id=$(basename $d)
        name=$(sed -n 's/^name=//p' /var/lib/orch/records/$id/record)
        started=$(sed -n 's/^started=//p' /var/lib/orch/records/$id/tasks/main/state)
        ended=$(cat $d/alloc/data/ended 2>/dev/null || echo 0)
        echo "$name $started $(cat $d/alloc/data/began) $ended"
    done
    """
    lines = [line.split() for host in shop.hosts for line in host.sh(script).splitlines()]
    return [Span(name=n, started=int(s), began=int(b), ended=int(e)) for n, s, b, e in lines]


def test_the_story(shop: Shop) -> None:
    path = str(shop.job(web(1, group=ONE_PER_HOST)))

    planned = shop.orch("plan", path)
    assert '+ Job: "web"' in planned.out
    assert "1 create" in planned.out
    assert planned.check_index == 0
    assert shop.live() == []

    shop.apply()
    first = shop.live_allocs()
    assert list(first) == ["web.g[0]"]
    status = shop.orch("status", "web").out
    assert "running" in status
    assert first["web.g[0]"][:8] in status
    assert shop.logs("web") == "hello from web.g[0]\n"
    shop.assert_nothing_to_do()

    shop.job(web(3, group=ONE_PER_HOST))
    planned = shop.orch("plan", path, "-detailed-exitcode", code=2)
    assert "2 create, 1 in-place update" in planned.out
    index = planned.check_index
    shop.orch("apply", "-check-index", str(index), path)
    grown = shop.live_allocs()
    assert list(grown) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    assert grown["web.g[0]"] == first["web.g[0]"]
    shop.assert_nothing_to_do()

    shop.job(web(2))
    before = shop.refs(), shop.on_hosts()
    refused = shop.orch("apply", "-check-index", str(index), path, code=3)
    assert "Enforcing job modify index" in refused.err
    assert (shop.refs(), shop.on_hosts()) == before

    shop.job(web(3, greeting="hi", group=ONE_PER_HOST))
    planned = shop.orch("plan", path)
    assert "1 create/destroy update, 2 ignore" in planned.out
    shop.orch("apply", "-check-index", str(planned.check_index), path)
    assert_rolled_one_by_one(spans(shop))
    changed = shop.live_allocs()
    assert list(changed) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    assert not set(changed.values()) & set(grown.values())
    assert shop.logs(changed["web.g[1]"]) == "hi from web.g[1]\n"
    shop.assert_nothing_to_do()

    history = shop.orch("history", "web", "-p").out
    assert history.count("Version") == 3
    assert '"hello" => "hi"' in history

    shop.orch("stop", "-yes", "web")
    assert shop.live() == []
    assert "dead (stopped)" in shop.orch("status", "web").out

    shop.orch("run", path)
    assert list(shop.live_allocs()) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    shop.assert_nothing_to_do()


def assert_rolled_one_by_one(all_spans: list[Span]) -> None:
    """Each was replaced in its turn, when the one before had been well for its second."""
    old = sorted((s for s in all_spans if s.ended), key=lambda s: s.ended)
    new = sorted((s for s in all_spans if not s.ended), key=lambda s: s.began)
    order = ["web.g[0]", "web.g[1]", "web.g[2]"]
    assert [s.name for s in old] == [s.name for s in new] == order
    for before, after in zip(old, new, strict=True):
        assert before.ended < after.began
    for after, following in zip(new, old[1:], strict=False):
        assert following.ended - after.started >= SECOND
