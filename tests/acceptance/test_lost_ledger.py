"""The ledger is lost, rewound or cut off: what is said, and how all comes back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import web
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab
BATCH = """\
job "once" {
  type = "batch"
  group "g" {
    task "main" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "date +%s%N >>/srv/once"]
      }
      resources {
        cpu    = 20
        memory = 20
      }
    }
  }
}
"""


def test_a_lost_ledger_is_rebuilt_and_nothing_is_started_again(shop: Shop) -> None:
    shop.job(web(3))
    shop.job(BATCH, "once")
    shop.job(web(1, job="left"), "left")
    shop.apply()
    wait_for(lambda: any(ran_once(shop)) and not shop.live_allocs("once"), "the batch job's end")
    before = shop.live()
    once = ran_once(shop)
    lose(shop)
    assert "the ledger" in shop.orch("plan", code=1).err
    done = shop.orch("ledger", "rebuild", "-yes")
    assert "Found on 3 hosts: 3 jobs with 5 allocations" in done.out
    listed = [line.split()[:4] for line in shop.orch("status").out.splitlines()[1:]]
    assert ["web", "<none>", "<none>", "running"] in listed, listed
    assert {job for job, *_ in listed} == {"left", "once", "web"}
    plan = shop.orch("plan", "-json").data()
    kinds = {c["Action"] for j in plan["jobs"] for c in j["Placements"]}
    assert kinds <= {"in-place update", "ignore"}, kinds
    shop.orch("stop", "-yes", "left")
    (shop.repo / "jobs" / "left.nomad.hcl").unlink()
    shop.commit()
    shop.apply()
    shop.assert_nothing_to_do()
    assert shop.live() == [x for x in before if not x.name.startswith("left")]
    assert ran_once(shop) == once
    state = shop.decided("web")
    assert state.current is not None
    assert state.current.version == 1
    status = shop.orch("ledger", "status", "-json").data()
    assert (status["Epoch"], status["Runs"]) == (2, [])


def ran_once(shop: Shop) -> list[str]:
    return [h.sh("cat /srv/once 2>/dev/null || :") for h in shop.hosts]


def lose(shop: Shop) -> None:
    """Lose the ledger with all that this user has seen of it."""
    shutil.rmtree(shop.ledger)
    shop.git("init", "-q", "--bare", str(shop.ledger), cwd=shop.root)
    shutil.rmtree(Path(shop.environment["XDG_CACHE_HOME"]), ignore_errors=True)
    shutil.rmtree(shop.root / "reader", ignore_errors=True)


def test_a_host_that_is_away_keeps_the_ledger_from_being_rebuilt(shop: Shop) -> None:
    shop.job(web(3))
    shop.apply()
    lose(shop)
    shop.hosts[2].stop_sshd()
    refused = shop.orch("ledger", "rebuild", "-yes", code=1)
    assert "host h3 is unknown" in refused.err
    assert shop.refs() == ""
    shop.orch("ledger", "rebuild", "-yes", "-without", "h3")
    assert {a.node for a in shop.decided("web").allocs} <= {"h1", "h2"}
    shop.apply(code=4)
    shop.hosts[2].heal()
    # It is back: what runs there is taken into the records, and nothing runs twice any more.
    assert len(shop.live()) == 4
    done = shop.orch("ledger", "repair", "-accept", "-yes")
    assert "web: 1 allocations on hosts are not recorded" in done.out
    shop.apply()
    shop.assert_nothing_to_do()
    assert len(shop.live_allocs("web")) == 3


def test_a_rewound_ledger_is_put_back(shop: Shop) -> None:
    shop.job(web(1))
    shop.apply()
    ref = f"refs/orch/{shop.cluster}/state"
    good = shop.refs()
    shop.git("update-ref", ref, f"{ref}~1", cwd=shop.ledger)
    assert "orch ledger repair" in shop.orch("plan", code=1).err
    assert "without a terminal" in shop.orch("ledger", "repair", code=1).err
    done = shop.orch("ledger", "repair", "-yes")
    assert "Decisions that are gone" in done.out
    assert shop.refs() == good
    shop.assert_nothing_to_do()


def test_after_a_loss_was_accepted_the_hosts_listen_again(shop: Shop) -> None:
    path = shop.job(web(1))
    shop.apply()
    ref = f"refs/orch/{shop.cluster}/state"
    first = shop.git("rev-parse", ref, cwd=shop.ledger).strip()
    shop.job(web(1, greeting="two"))
    shop.apply()
    shop.git("update-ref", ref, first, cwd=shop.ledger)
    shop.orch("ledger", "repair", "-accept", "-yes")
    path.write_text(web(1, greeting="three"))
    shop.commit()
    shop.apply()
    shop.assert_nothing_to_do()
    assert len(shop.live_allocs("web")) == 1
