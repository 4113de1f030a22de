"""`orch doctor` with real hosts: whose clock is wrong, and a ledger that is for reading only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import web
from tests.acceptance.test_host_check import USER, wrong_clock

pytestmark = pytest.mark.lab


def sections(shop: Shop, *flags: str, code: int = 0) -> dict[str, dict[str, dict[str, Any]]]:
    """What was found, by section and name."""
    found = shop.orch("doctor", "-json", *flags, code=code).data()
    return {s["Title"]: {f["Name"]: f for f in s["Findings"]} for s in found["Sections"]}


def test_a_sound_shop_is_left_as_it_was(shop: Shop) -> None:
    shop.job(web(2))
    shop.apply()
    before = shop.everything()
    said = shop.orch("doctor")
    assert said.err.splitlines()[-1] == "ok"
    assert "3 of 3" in said.out
    assert shop.everything() == before


def test_this_machine_s_clock_is_wrong_if_all_hosts_say_so(shop: Shop) -> None:
    shop.job(web(1))
    wrong_clock(shop.hosts[0], -40)
    found = sections(shop)
    assert found["This machine"]["clock"]["Result"] == "ok"
    assert found["Hosts"]["h1"]["Result"] == "warning"
    for host in shop.hosts[1:]:
        wrong_clock(host, -40)
    clock = sections(shop)["This machine"]["clock"]
    assert clock["Result"] == "warning"
    assert "behind this machine's" in clock["Detail"]


def test_a_ledger_that_may_only_be_read(shop: Shop) -> None:
    host = shop.hosts[0]
    shop.job(web(1))
    config = shop.repo / "orch.toml"
    config.write_text(config.read_text().replace(str(shop.ledger), "host:h1:/srv/ledger.git"))
    shop.commit()
    assert sections(shop)["Ledger"]["writing"]["Result"] == "not needed"
    assert sections(shop, "-write")["Ledger"]["writing"]["Detail"].startswith("tried: ")
    shop.apply()
    assert sections(shop)["Ledger"]["writing"]["Result"] == "ok"

    host.sh(
        USER + "; printf '[safe]\\ndirectory = *\\n' >/etc/gitconfig; chmod -R a+rX /srv/ledger.git"
    )
    inventory = shop.repo / "inventory.yml"
    first, second = inventory.read_text().split("    h2:")
    inventory.write_text(f"{first.replace('root', 'deploy', 1)}    h2:{second}")
    shop.commit()
    found = sections(shop, code=1)
    assert found["Ledger"]["reading"]["Result"] == "ok"
    tried = sections(shop, "-write", code=1)["Ledger"]["writing"]
    assert tried["Result"] == "failed"
    assert tried["Remedy"]
