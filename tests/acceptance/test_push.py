"""A push over SSH to a bare repository on a host deploys to the fleet, and says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.harness import PROJECT, Done, Shop
from tests.acceptance.specs import ONE_PER_HOST, web
from tests.lab.fleet import Lab
from tests.lab.host import LabHost

pytestmark = pytest.mark.lab

_BARE = "/srv/git/shop.git"
_ORCH = f"{sys.prefix}/bin/orch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """The host `f1`, with the repository and with orch, and somebody's clone."""

    host: LabHost
    shop: Shop

    def push(self) -> Done:
        """Push main; return what the pusher is told."""
        done = subprocess.run(
            ("git", "push", "-q", "origin", "main"),
            cwd=self.shop.repo,
            env=self.shop.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="module")
def forge_host(lab: Lab) -> LabHost:
    """A host that has orch installed."""
    folders = {PROJECT, Path(sys.prefix), Path(sys.base_prefix)}
    shown = sorted(x for x in folders if not x.is_relative_to("/usr"))
    return lab.add("f1", shown=shown)


@pytest.fixture
def forge(shop: Shop, forge_host: LabHost) -> Generator[Forge]:
    """A bare repository with the hook on `f1`, and a clone whose inventory holds for both."""
    _may_log_in(forge_host, Path(shop.environment["HOME"]))
    forge_host.sh(f"cd / && git init -q --bare -b main {_BARE} && {_ORCH} hook install {_BARE}")
    shop.git("config", "--global", "core.sshCommand", f"ssh -F {shop.lab.folder}/ssh_config")
    shop.git("remote", "add", "origin", f"ssh://f1{_BARE}")
    (shop.repo / "orch.toml").write_text(
        f'cluster = "{shop.cluster}"\nrepository = "shop"\n[reconcile]\nallow_deletions = true\n'
    )
    (shop.repo / "inventory.yml").write_text(_inventory(shop.hosts))
    yield Forge(host=forge_host, shop=shop.commit())
    forge_host.sh(f"rm -rf {_BARE} /root/.cache /root/.ssh/id_ed25519 /root/.ssh/known_hosts")


def _may_log_in(host: LabHost, home: Path) -> None:
    """Put the key of the lab's hosts where `host` and the pusher have theirs."""
    key = host.key_path.read_text()
    for ssh in (Path(f"{host.root}/root/.ssh"), home / ".ssh"):
        ssh.mkdir(mode=0o700, exist_ok=True)
        (ssh / "id_ed25519").touch(0o600)
        (ssh / "id_ed25519").write_text(key)


def _inventory(hosts: Sequence[LabHost]) -> str:
    entry = '    {}: {{ansible_host: {}, ansible_user: root, orch_host_key: "{}"}}'
    entries = (entry.format(h.name, h.address, h.host_key) for h in hosts)
    return "\n".join(["all:", "  hosts:", *entries, ""])


def test_a_push_deploys_a_revert_takes_it_back_and_a_broken_one_changes_nothing(
    forge: Forge,
) -> None:
    shop = forge.shop
    shop.job(web(2, group=ONE_PER_HOST))
    told = forge.push()
    assert told.code == 0
    assert "changes web" in told.err
    assert "done after" in told.err
    first = shop.live_allocs()
    assert list(first) == ["web.g[0]", "web.g[1]"]
    # who has the clone sees the same, over SSH
    assert "running" in shop.orch("status", "web").out
    shop.assert_nothing_to_do()

    shop.job(web(3, group=ONE_PER_HOST))
    assert "changes web" in forge.push().err
    assert len(shop.live_allocs()) == 3
    shop.git("revert", "--no-edit", "HEAD")
    assert "changes web" in forge.push().err
    assert shop.live_allocs() == first

    before = shop.on_hosts()
    shop.job('job "web" {\n  group "g" {\n    count = many\n  }\n}\n')
    told = forge.push()
    assert "jobs/web.nomad.hcl:3:13:" in told.err
    assert "can't be applied; what runs goes on running" in told.err
    assert shop.on_hosts() == before


def test_what_a_person_has_applied_is_the_hooks_too(forge: Forge) -> None:
    shop = forge.shop
    shop.job(web(1))
    forge.push()
    other = shop.job(web(1, job="other"), "other")
    shop.apply()  # from the clone, before it is pushed
    assert list(shop.live_allocs("other")) == ["other.g[0]"]
    other.unlink()
    shop.commit()
    assert "changes other" in forge.push().err
    assert list(shop.live_allocs()) == ["web.g[0]"]
