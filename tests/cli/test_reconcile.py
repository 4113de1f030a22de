"""What is pushed runs: reconciles by hand, by interval and by hook, within their limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executors.dev import DevHost
from gitops.checkout import Checkout
from tests.cli.background import Background
from tests.cli.place import CONFIG, WEB, Place, ended, process_environment

PATIENCE = 120.0


def job(name: str) -> str:
    """A job that is healthy at once."""
    return WEB.replace("static = @port@", "").replace('job "web"', f'job "{name}"')


@pytest.fixture
def bare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Place:
    """A clone with a bare origin, and no host."""
    (tmp_path / "home").mkdir()
    environment = {
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "SSH_AUTH_SOCK": "",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ORCH_LEDGER_URL": str(tmp_path / "ledger.git"),
    }
    place = Place(tmp_path, tmp_path / "host/data", environment, capsys, monkeypatch)
    place.git("init", "-q", "--bare", "-b", "main", "shop.git", cwd=tmp_path)
    place.git("clone", "-q", "shop.git", "clone", cwd=tmp_path)
    place.git("checkout", "-qB", "main")
    place.git("config", "user.name", "Test")
    place.git("config", "user.email", "test@example.invalid")
    place.write("orch.toml", CONFIG)
    place.write("jobs/web.nomad.hcl", job("web"))
    place.git("add", ".")
    place.git("commit", "-qm", "First")
    push(place)
    return place


@pytest.fixture
def shop(bare: Place, background: Background) -> Generator[Place]:
    """The same, and a host of its own that runs it already."""
    with background.serving(DevHost(bare.root / "host")) as host:
        bare.environment["ORCH_INVENTORY"] = str(host.inventory)
        first = bare.orch("reconcile", str(bare.root / "shop.git"))
        assert first.code == 0, first.err
        yield bare
        stopped = [bare.orch("stop", "-yes", name).code for name in ("web", "new")]
        assert ended(bare.host) == 0, stopped


def push(place: Place) -> str:
    """Push; return what the pusher is told."""
    done = subprocess.run(
        ("git", "push", "-q", "origin", "HEAD:main"),
        cwd=place.clone,
        env=process_environment(place.environment),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr


def limits(place: Place, text: str) -> None:
    place.commit("orch.toml", f"{CONFIG}\n[reconcile]\n{text}\n")


def change_web(place: Place, seconds: str) -> None:
    place.commit("jobs/web.nomad.hcl", job("web").replace('"600"', f'"{seconds}"'))


def until(told: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not told():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_one_turn_applies_what_is_new_and_the_next_one_nothing(shop: Place) -> None:
    change_web(shop, "601")
    push(shop)
    repository = str(shop.root / "shop.git")
    first = shop.orch("reconcile", repository)
    assert first.code == 0, first.err
    assert "HEAD is at " in first.err
    assert '"Change jobs/web.nomad.hcl" (Test)' in first.err
    assert " changes web\n" in first.err
    assert " done after " in first.err
    assert '"601"' in shop.orch("inspect", "web").out
    second = shop.orch("reconcile", "-once", "-ref", "main", repository)
    assert second.code == 0
    assert second.err.rstrip().endswith(": nothing to do")


def test_the_repository_one_stands_in_is_meant_by_none(shop: Place) -> None:
    said = shop.orch("reconcile")
    assert (said.code, said.out) == (0, "")
    assert "nothing to do" in said.err


def test_a_push_deploys_and_a_revert_takes_it_back(shop: Place) -> None:
    said = shop.orch("hook", "install", str(shop.root / "shop.git"))
    assert said.code == 0, said.err
    assert "a push to main is reconciled" in said.out
    change_web(shop, "601")
    told = push(shop)
    assert "changes web" in told
    assert '"601"' in shop.orch("inspect", "web").out
    shop.git("revert", "--no-edit", "HEAD")
    assert "changes web" in push(shop)
    assert '"600"' in shop.orch("inspect", "web").out
    # a branch that is not followed changes nothing
    change_web(shop, "602")
    shop.git("push", "-q", "origin", "HEAD:other")
    assert '"600"' in shop.orch("inspect", "web").out


def test_a_broken_spec_is_told_to_the_pusher_and_changes_nothing(shop: Place) -> None:
    assert shop.orch("hook", "install", str(shop.root / "shop.git"), "-ref", "main").code == 0
    before = shop.state
    shop.commit("jobs/web.nomad.hcl", 'job "web" {\n  group "app" {\n    count = many\n  }\n}\n')
    told = push(shop)
    assert "can't be applied; what runs goes on running" in told
    assert "jobs/web.nomad.hcl:3:13:" in told
    assert shop.state == before


def test_a_spec_that_failed_and_was_taken_back_is_not_tried_again(shop: Place) -> None:
    sound = (shop.clone / "jobs/web.nomad.hcl").read_text(encoding="utf-8")
    never = """
  reschedule {
    attempts  = 0
    unlimited = false
  }
  restart {
    attempts = 0
  }
"""
    broken = sound.replace("update {", "update {\n    auto_revert = true")
    broken = broken.replace('command = "sleep"', 'command = "false"').replace('"0s"', '"2s"')
    broken = broken.replace('  group "app" {', f'  group "app" {{{never}', 1)
    shop.commit("jobs/web.nomad.hcl", broken)
    push(shop)
    repository = str(shop.root / "shop.git")
    first = shop.orch("reconcile", repository)
    assert first.code == 5
    assert "rolling back to job version 0" in first.err
    versions = shop.orch("history", "web").out
    again = shop.orch("reconcile", repository)
    assert again.code == 5
    told = "job web failed as version 1 and was taken back: left as it is; push another spec"
    assert told in again.err
    assert shop.orch("history", "web").out == versions
    planned = shop.orch("plan").out
    assert "this very spec has failed as version 1, and was taken back" in planned
    shop.commit("jobs/web.nomad.hcl", sound.replace('"600"', '"601"'))
    assert "has failed as version" not in shop.orch("plan").out
    push(shop)
    assert shop.orch("reconcile", repository).code == 0
    assert '"601"' in shop.orch("inspect", "web").out


def test_jobs_that_left_run_on_unless_deletions_are_allowed(shop: Place) -> None:
    shop.commit("jobs/new.nomad.hcl", job("new"))
    push(shop)
    assert shop.orch("reconcile").code == 0
    shop.git("rm", "-q", "jobs/new.nomad.hcl")
    shop.git("commit", "-qm", "Remove new")
    push(shop)
    said = shop.orch("reconcile")
    assert said.code == 0
    assert "lacks new; allow_deletions is off: left running" in said.err
    assert "dead" not in shop.orch("status", "-short", "new").out
    limits(shop, "allow_deletions = true")
    push(shop)
    said = shop.orch("reconcile")
    assert said.code == 0
    assert "changes new" in said.err
    assert "dead (stopped)" in shop.orch("status", "-short", "new").out


@pytest.mark.parametrize(
    ("text", "flags", "why"),
    [("auto_apply = false", [], "auto_apply is off"), ("", ["-plan-only"], "-plan-only")],
)
def test_what_may_only_be_planned_is_shown(
    shop: Place, text: str, flags: list[str], why: str
) -> None:
    limits(shop, text)
    change_web(shop, "601")
    push(shop)
    before = shop.state
    said = shop.orch("reconcile", *flags)
    assert said.code == 0
    assert f" would change web; {why}" in said.err
    assert '+/- Job: "web"' in said.out
    assert shop.state == before


@contextmanager
def looping(place: Place) -> Generator[Path]:
    """Reconcile five times a second; yields the log."""
    log = place.root / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            (
                sys.executable,
                "-c",
                "from gitops.main import main; main()",
                "reconcile",
                "-interval",
                "200ms",
            ),
            cwd=place.clone,
            env=process_environment(place.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=out,
        )
    try:
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 130


def test_turn_after_turn_a_bad_commit_is_told_once_and_a_good_one_goes_on(shop: Place) -> None:
    with looping(shop) as log:
        until(lambda: "nothing to do" in log.read_text())
        shop.commit("jobs/web.nomad.hcl", "job {")
        push(shop)
        until(lambda: "can't be applied" in log.read_text())
        time.sleep(1)  # some turns more
        second = shop.orch("reconcile", "-interval", "1s")
        assert second.code == 3
        assert "another reconcile of" in second.err
        shop.git("revert", "--no-edit", "HEAD")
        change_web(shop, "601")
        push(shop)
        until(lambda: "done after" in log.read_text())
    text = log.read_text()
    assert text.count("can't be applied") == 1
    assert text.count("jobs/web.nomad.hcl:1:") == 1
    assert text.count("nothing to do") <= 2
    assert "ended; what runs goes on running" in text


SICK = """
    service {
      name     = "web"
      port     = "http"
      provider = "nomad"
      check {
        name     = "alive"
        type     = "tcp"
        interval = "1s"
        timeout  = "1s"
        check_restart {
          limit = 2
          grace = "0s"
        }
      }
    }
    task "server" {"""


def test_a_check_that_fails_turn_after_turn_restarts_its_task(shop: Place) -> None:
    spec = job("web").replace('    task "server" {', SICK)
    healthy = 'health_check = "task_states"\n    min_healthy_time'
    shop.commit("jobs/web.nomad.hcl", spec.replace("min_healthy_time", healthy))
    push(shop)
    with looping(shop) as log:
        until(lambda: "unhealthy, restarting server" in log.read_text())
    assert "web.app[0] on " in log.read_text()
    events = "".join(p.read_text() for p in shop.host.glob("records/*/tasks/server/events"))
    assert 'Restart Signaled\thealthcheck: check "alive" unhealthy\n' in events


def test_a_single_turn_waits_for_another_one(shop: Place) -> None:
    folder = Path(shop.environment["XDG_CACHE_HOME"]) / "orch" / "reconcile"
    checkout = Checkout(url=str(shop.root / "shop.git"), ref="HEAD", folder=folder)
    with checkout.held(0, lambda: None):
        process = shop.process("reconcile")
        assert process.stderr is not None
        assert "another reconcile is at work; waiting" in process.stderr.readline()
    with process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "nothing to do" in err


def test_a_clone_that_is_broken_is_made_anew(shop: Place) -> None:
    assert shop.orch("reconcile").code == 0
    (tree,) = Path(shop.environment["XDG_CACHE_HOME"]).glob("orch/reconcile/*/tree")
    (tree / ".git/HEAD").write_text("nonsense")
    (tree / "jobs/stray.nomad.hcl").write_text(job("stray"))
    said = shop.orch("reconcile")
    assert said.code == 0, said.err
    assert "nothing to do" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("reconcile", "-ref", "nowhere"), "can't fetch nowhere of"),
        (("reconcile", "/nowhere/shop.git"), "can't fetch HEAD of /nowhere/shop.git"),
        (("reconcile", "-interval", "0s"), "-interval"),
        (("reconcile", "-once", "-interval", "5s"), "exclude each other"),
        (("hook", "install", "."), ".: not a bare repository"),
        (("hook", "install", "nowhere"), "nowhere: not a bare repository"),
        (("hook", "install", "../shop.git", "-ref", "a..b"), "'a..b' is not the name of a branch"),
    ],
)
def test_what_is_wrong(bare: Place, words: tuple[str, ...], told: str) -> None:
    said = bare.orch(*words)
    assert said.code == 1
    assert told in said.err


def test_a_ledger_inside_the_clone_is_refused(bare: Place) -> None:
    bare.commit("orch.toml", CONFIG.replace("../ledger.git", ".orch/ledger.git"))
    push(bare)
    del bare.environment["ORCH_LEDGER_URL"]
    said = bare.orch("reconcile")
    assert said.code == 1
    assert "the ledger would be .orch/ledger.git in a clone of the repository" in said.err
    assert "can't be applied; what runs goes on running" in said.err


def test_somebody_elses_hook_stays(bare: Place) -> None:
    hook = bare.root / "shop.git/hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    said = bare.orch("hook", "install", str(bare.root / "shop.git"))
    assert said.code == 1
    assert "there is another hook already; nothing was written" in said.err
    assert hook.read_text() == "#!/bin/sh\n"
