"""A secret goes to the task that needs it, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, Place, Said, made, place_on

SECRET, OTHER = "hunter2-correct-horse", "tr0ub4dor-and-three"
IN_GIT = "in-git-but-not-to-be-shown"
PATIENCE = 20.0

JOB = """\
variable "password" {
  type      = string
  sensitive = true
}
locals {
  url = "db://app:${var.password}@host"
}
job "hush" {
  update {
    min_healthy_time = "0s"
    healthy_deadline = "10s"
  }
  group "app" {
    task "server" {
      driver       = "raw_exec"
      kill_timeout = "1s"
      config {
        oom_score_adj = 7
        command = "sh"
        args    = ["-c", "echo \\"$URL $TOKEN\\" >$NOMAD_TASK_DIR/seen; exec sleep 600"]
      }
      env {
        URL   = local.url
        UPPER = upper(var.password)
        TOKEN = "%s"
        PLAIN = "plain"
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
"""


@dataclass
class Shop:
    """A repository whose job has a secret, and everything that commands have printed of it."""

    place: Place
    dev: DevHost

    def orch(self, *argv: str, password: str = SECRET, key: str = "k" * 40) -> Said:
        # In the environment, where a process list does not show it.
        said = self.place.spawn(*argv, ORCH_VAR_password=password, ORCH_KEY=key)
        for text in (said.out, said.err):
            self.assert_without_secrets(text)
        return said

    def assert_without_secrets(self, text: str) -> None:
        for word in (SECRET, OTHER, IN_GIT, SECRET.upper(), OTHER.upper()):
            assert word not in text

    def written(self) -> str:
        """All objects of the ledger, and all files below the cache and the home."""
        objects = subprocess.run(
            ("git", "cat-file", "--batch-all-objects", "--batch"),
            cwd=self.place.ledger,
            check=True,
            capture_output=True,
        ).stdout
        files = (p for name in ("cache", "home") for p in (self.place.root / name).rglob("*"))
        parts = [objects, *(p.read_bytes() for p in files if p.is_file())]
        names = "\n".join(str(p) for p in self.place.root.rglob("*"))
        return b"\n".join(parts).decode("utf-8", "replace") + names

    def seen_by_the_task(self) -> str:
        """What the newest task has found, once it has looked."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = sorted(
                self.dev.data_dir.rglob("local/seen"), key=lambda p: p.stat().st_mtime_ns
            )
            if found and (text := found[-1].read_text()):
                return text
            time.sleep(0.05)
        raise AssertionError("the task has not looked")


@pytest.fixture(scope="module")
def shop(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    root = tmp_path_factory.mktemp("secrets")
    with background.serving(DevHost(root / "dev")) as dev:
        sensitive = 'sensitive = ["env.TOKEN", "config.oom_score_adj"]'
        config = CONFIG.replace("[ledger]", f"{sensitive}\n[ledger]")
        files = {"orch.toml": config, "jobs/hush.nomad.hcl": JOB % IN_GIT}
        place = made(place_on(dev, root), files)
        shop = Shop(place, dev)
        said = shop.orch("apply", "-auto-approve")
        assert said.code == 0, said.err
        yield shop
        said = shop.orch("stop", "-yes", "hush")
        assert said.code == 0, said.err


def test_the_task_has_it(shop: Shop) -> None:
    assert f"db://app:{SECRET}@host {IN_GIT}" in shop.seen_by_the_task()


def test_no_command_shows_it(shop: Shop) -> None:
    (alloc,) = _running(shop)
    for words in (
        ("plan", "-json", "-verbose", "-explain"),
        ("plan", "-verbose", "-explain", f"-var=password={SECRET}"),
        ("validate", "-json"),
        ("inspect", "hush"),
        ("history", "-p", "hush"),
        ("history", "-json", "hush"),
        ("status", "-json", "hush"),
        ("alloc", "status", "-verbose", alloc),
    ):
        said = shop.orch(*words)
        assert said.code == 0, (words, said.err)
    assert "(sensitive)" in shop.orch("inspect", "hush").out


def test_an_apply_of_nothing_new_takes_a_mark_in_a_config_for_what_it_is(shop: Shop) -> None:
    said = shop.orch("apply", "-auto-approve")
    assert said.code == 0, said.err


def test_an_equal_value_is_no_change_and_another_one_is(shop: Shop) -> None:
    assert shop.orch("plan", "-detailed-exitcode").code == 0
    changed = shop.orch("plan", "-detailed-exitcode", password=OTHER)
    assert changed.code == 2
    assert '+/- Env[URL]:   "(sensitive)" => "(sensitive)"' in changed.out
    data = json.loads(shop.orch("plan", "-json", password=OTHER).out)
    assert "(sensitive)" in json.dumps(data["jobs"][0]["Diff"])


def test_another_key_is_told(shop: Shop) -> None:
    said = shop.orch("plan", key="another key, by mistake")
    assert "another ORCH_KEY" in said.out


def test_a_saved_plan_does_not_hold_it(shop: Shop) -> None:
    file = shop.place.root / "clone" / "saved.plan"
    said = shop.orch("plan", "-out", "saved.plan", password=OTHER)
    assert said.code == 0, said.err
    shop.assert_without_secrets(file.read_text())
    shop.orch("show", "saved.plan")
    file.unlink()


def test_nothing_that_is_written_holds_it(shop: Shop) -> None:
    shop.assert_without_secrets(shop.written())
    assert "(sensitive:" in shop.written()


def test_a_record_alone_starts_nothing_but_with_its_commit_and_variables(shop: Shop) -> None:
    (alloc,) = _running(shop)
    refused = shop.orch("alloc", "stop", alloc, password=OTHER)
    assert refused.code == 1
    assert "sensitive values" in refused.err
    assert _running(shop) == [alloc]
    assert shop.orch("alloc", "stop", alloc).code == 0
    (instead,) = _running(shop)
    assert instead != alloc


def _running(shop: Shop) -> list[str]:
    found = json.loads(shop.orch("status", "-json", "hush").out)["Allocations"]
    return [a["ID"] for a in found if a["DesiredStatus"] == "run"]


def test_errors_do_not_show_it(shop: Shop) -> None:
    spec = shop.place.clone / "jobs" / "wrong.nomad.hcl"
    spec.write_text(
        JOB.replace('"hush"', '"wrong"').replace("local.url", "parseint(local.url, 10)")
    )
    try:
        said = shop.orch("validate")
        assert said.code == 1
        assert "sensitive" in said.out
    finally:
        spec.unlink()
