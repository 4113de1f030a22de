"""Worlds with real hosts: those of a lab, under the names that pages call them by."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial

from tests.demo.stage import silent, stage
from tests.demo.terminal import Terminal
from tests.demo.worlds import Out, World
from tests.lab.fleet import Lab, lab_of
from tests.lab.host import LabHost

# How pages call the lab's hosts.
_NAMES = {
    "web1.example.com": "h1",
    "web2.example.com": "h2",
    "db1.example.com": "h3",
    "app1.example.com": "a1",
}
# Sees names of its own, which the machine does not get to know.
_SHELL = 'mount --bind "$HOME/.hosts" /etc/hosts && exec /bin/sh -c "$0"'
_REPOSITORY = "git init -q -b main infra && cd infra"


@contextmanager
def own_hosts(lab: Lab, out: Out) -> Generator[Terminal, None, None]:
    """In a repository with nothing in it; the key in ~/.ssh opens root's account on the hosts."""
    with _at_home(lab) as terminal:
        # a jump host looks up names by itself
        names = (terminal.cwd.parent / ".hosts").read_text()
        lab.host("h1").sh(f"cat >>/etc/hosts <<'END'\n{names}END")
        terminal.out = out
        yield terminal


@contextmanager
def docker_host(lab: Lab, out: Out) -> Generator[Terminal, None, None]:
    """In a repository whose inventory is one host with docker, which is trusted."""
    with _at_home(lab) as terminal:
        host = lab.host("a1")
        (terminal.cwd / "orch.toml").write_text('cluster = "shop"\n[ledger]\nurl = "../ledger"\n')
        (terminal.cwd / "inventory.yml").write_text(_inventory(host))
        terminal.out = out
        yield terminal


def _inventory(host: LabHost) -> str:
    return (
        "all:\n  hosts:\n    app1.example.com:\n"
        f"      ansible_user: root\n      orch_host_key: {host.host_key}\n"
    )


@contextmanager
def _at_home(lab: Lab) -> Generator[Terminal, None, None]:
    with stage(silent) as terminal:
        home = terminal.cwd
        keys = home / ".ssh"
        keys.mkdir(mode=0o700)
        shutil.copy(lab.host("h1").key_path, keys / "id_ed25519")
        lines = ["127.0.0.1 localhost"]
        lines += [f"{lab.hosts[h].address} {n}" for n, h in _NAMES.items() if h in lab.hosts]
        (home / ".hosts").write_text("".join(f"{line}\n" for line in lines))
        terminal.shell = ("unshare", "--mount", "/bin/sh", "-c", _SHELL)
        code, text = terminal.run(_REPOSITORY)
        if code:
            raise RuntimeError(text)
        yield terminal


def worlds(lab: Lab) -> Mapping[str, World]:
    """Return the worlds that are made of the hosts of a lab, by name."""
    return {"lab": partial(own_hosts, lab), "docker": partial(docker_host, lab)}


@contextmanager
def lab_for(world: str) -> Generator[Lab, None, None]:
    """A lab with what a world needs, gone at the end."""
    with lab_of(3) as lab:
        if world == "docker":
            lab.add("a1", dockerd=True)
        yield lab
