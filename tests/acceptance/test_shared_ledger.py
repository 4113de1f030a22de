"""One ledger, several users: at the origin with shallow CI clones, and on an inventory host."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import Shop, listing
from tests.acceptance.specs import web

pytestmark = pytest.mark.lab


def configured(shop: Shop, ledger: str) -> Shop:
    text = f'cluster = "{shop.cluster}"\n' + (f'[ledger]\nurl = "{ledger}"\n' if ledger else "")
    (shop.repo / "orch.toml").write_text(text)
    return shop.commit()


def clone(shop: Shop, name: str, *options: str) -> Shop:
    origin = shop.root / "origin.git"
    shop.git("clone", "-q", *options, f"file://{origin}", str(shop.root / name), cwd=shop.root)
    return Shop(
        root=shop.root,
        lab=shop.lab,
        hosts=shop.hosts,
        cluster=shop.cluster,
        clone=name,
        started=shop.started,
    )


def test_a_shallow_clone_plans_and_applies_beside_whole_ones(shop: Shop) -> None:
    configured(shop, "").job(web(2))
    shop.job(web(1, job="db"), "db")
    shop.git("clone", "-q", "--bare", str(shop.repo), str(shop.root / "origin.git"), cwd=shop.root)
    ci = clone(shop, "ci", "--depth", "1")
    assert (ci.repo / ".git" / "shallow").exists()
    before = listing(ci.repo)
    ci.orch("plan")
    ci.apply()
    assert listing(ci.repo) == before
    laptop = clone(shop, "laptop")
    laptop.assert_nothing_to_do()
    # It is the same repository: a job that leaves it is ended from either clone.
    laptop.git("rm", "-q", "jobs/web.nomad.hcl")
    laptop.commit()
    laptop.apply()
    assert [x.name for x in shop.live()] == ["db.g[0]"]
    refs = shop.git("for-each-ref", "--format=%(refname)", cwd=shop.root / "origin.git").split()
    assert refs == ["refs/heads/main", f"refs/orch/{shop.cluster}/state"]


def test_a_ledger_on_an_inventory_host(shop: Shop) -> None:
    configured(shop, "host:h1:/srv/ledger.git").job(web(2))
    checked = shop.orch("ledger", "check", "-json").data()
    assert checked["Passed"]
    assert [t["Result"] for t in checked["Trials"]] == ["ok"] * 7
    shop.apply()
    shop.assert_nothing_to_do()
    status = shop.orch("ledger", "status").out
    assert "host:h1:/srv/ledger.git" in status
    assert "No run in progress" in status
    shop.hosts[0].stop_sshd()
    cut = shop.orch("plan", code=1).err
    assert "the ledger host:h1:/srv/ledger.git can't be reached: " in cut
    assert "Connection refused" in cut
    assert "'orch node status'" in cut


def test_what_a_check_finds_wrong_is_said_with_its_remedy(shop: Shop) -> None:
    configured(shop, f"file://{shop.ledger}").job(web(1))
    shop.git("config", "receive.hideRefs", "refs/orch", cwd=shop.ledger)
    said = shop.orch("ledger", "check", code=1).out
    assert 'prefix = "refs/heads/orch"' in said
    assert "not tried" in said
    path = shop.repo / "orch.toml"
    path.write_text(path.read_text() + 'prefix = "refs/heads/orch"\n')
    shop.commit()
    assert "failed" not in shop.orch("ledger", "check").out
    shop.apply()
    shop.assert_nothing_to_do()
