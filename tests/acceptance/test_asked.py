"""People ask an apply that goes on, elsewhere, to pause, to resume, to fail: it does, each once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from tests.acceptance.harness import Done, Shop, finished
from tests.acceptance.specs import Service
from tests.lab.programs import wait_for

pytestmark = pytest.mark.lab

# Healthy for ten minutes before it is so: what rolls it out goes on for as long as this takes.
ENDLESS = Service(
    count=3, greeting="new", healthy_time="10m", deadline='15m"\n    progress_deadline = "20m'
).hcl()


@pytest.fixture(params=["a directory", "a repository elsewhere"])
def rolling(shop: Shop, request: pytest.FixtureRequest) -> Shop:
    """A shop in which three allocations run, and a version that takes long."""
    where = "" if request.param == "a directory" else "file://"
    (shop.repo / "orch.toml").write_text(
        f'cluster = "{shop.cluster}"\n[ledger]\nurl = "{where}{shop.ledger}"\nlease_ttl = 15\n'
    )
    shop.job(Service(count=3).hcl())
    shop.orch("apply", "-auto-approve")
    shop.job(ENDLESS)
    return shop


def begun(shop: Shop) -> tuple[subprocess.Popen[str], str]:
    """Start an apply, and wait until the first of the new version runs; return its deployment."""
    process = shop.start("apply", "-auto-approve")
    wait_for(lambda: len(ids(shop)) == 4, "the first allocation of the new version")
    return process, latest(shop)["ID"]


def ids(shop: Shop) -> set[str]:
    """The allocations that run."""
    return {x.alloc for x in shop.live()}


def latest(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = shop.orch("job", "deployments", "-latest", "-json", "web").data()
    return found


def said(done: Done, words: Sequence[str]) -> None:
    for word in words:
        assert word in done.out + done.err, done


def test_pause_resume_and_fail_reach_the_apply_that_goes_on(rolling: Shop) -> None:
    applying, deployment = begun(rolling)
    before = ids(rolling)

    paused = rolling.orch("deployment", "pause", deployment)
    said(
        paused,
        (f'Deployment "{deployment}" paused', "drives job 'web'", "takes this in at its next beat"),
    )
    assert latest(rolling)["Status"] == "paused"
    assert applying.poll() is None

    left = rolling.orch("deployment", "resume", "-detach", "-json", deployment)
    assert left.data()["ID"] == deployment
    wait_for(lambda: latest(rolling)["Status"] == "running", "the deployment to go on")
    refused = rolling.orch("deployment", "promote", deployment, code=1)
    said(refused, ("no canaries to promote",))
    assert applying.poll() is None
    assert ids(rolling) == before

    failed = rolling.orch("deployment", "fail", "-json", deployment, code=5)
    assert failed.data()["Status"] == "failed"
    end = finished(applying, 5)
    said(end, ("is paused, as", "is resumed, as", "is failed, as", "Deployment marked as failed"))
    # What the new version had begun is gone, and the old one has run on.
    assert sorted(rolling.live_allocs()) == ["web.g[0]", "web.g[1]", "web.g[2]"]
    assert ids(rolling) < before
    assert rolling.runs() == []
    said(rolling.orch("deployment", "pause", deployment, code=1), ("terminal deployment",))


def test_where_the_apply_is_killed_the_verb_does_it_itself(rolling: Shop) -> None:
    applying, deployment = begun(rolling)
    applying.send_signal(signal.SIGKILL)
    applying.wait()
    said(rolling.orch("deployment", "pause", deployment), (f'Deployment "{deployment}" paused',))
    assert latest(rolling)["Status"] == "paused"
    assert rolling.runs() == []
    # Nothing was lost: it goes on where it stood, and can be ended.
    assert rolling.orch("deployment", "fail", deployment, code=5)
    assert sorted(rolling.live_allocs()) == ["web.g[0]", "web.g[1]", "web.g[2]"]
