"""Commands that only read leave hosts, ledger and clone byte for byte as they were."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import web

pytestmark = pytest.mark.lab


def test_nothing_that_reads_leaves_a_trace(shop: Shop) -> None:
    shop.job(web(2))
    untouched = shop.everything()

    shop.orch("plan")
    shop.orch("plan", "-verbose", "-json")
    shop.orch("validate")
    shop.orch("status")
    shop.orch("node", "status")
    assert shop.everything() == untouched

    shop.apply()
    shop.job(web(3, greeting="changed"))
    (shop.repo / "jobs" / "uncommitted.nomad.hcl").write_text(web(1, job="new"))
    settled = shop.everything()

    assert shop.orch("plan", "-detailed-exitcode", code=2).out.count("Job Modify Index") == 2
    shop.orch("validate")
    shop.orch("status", "web")
    shop.orch("status", shop.live()[0].alloc)
    shop.orch("logs", "web")
    shop.orch("history", "web", "-p")
    shop.orch("inspect", "web")
    shop.orch("node", "status", "h1")
    after = shop.everything()
    for name, state in settled.items():
        assert after[name] == state, name


def test_an_apply_that_refuses_leaves_no_trace(shop: Shop) -> None:
    shop.job(web(1))
    shop.apply()
    path = shop.job(web(2))
    path.write_text(web(3))
    before = shop.refs(), shop.on_hosts()

    assert "not committed" in shop.orch("apply", "-auto-approve", code=1).err
    shop.commit()
    assert "needs approval" in shop.orch("apply", code=1).err
    shop.orch("apply", "-check-index", "7777", str(path), code=3)
    assert (shop.refs(), shop.on_hosts()) == before
