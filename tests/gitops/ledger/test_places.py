"""Where a ledger may be: over https, over ssh on real hosts, under branches, behind hooks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import pytest

from executors.ssh_hop import Hop, Identities, KnownKeys
from gitops.ledger.errors import LedgerError, OutcomeUnknownError, UnreachableError
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.ssh_place import SshPlace, host_place
from gitops.ledger.surroundings import Surroundings
from planner.recorded import Evaluation, JobChange
from tests.gitops.ledger.conftest import git, open_at
from tests.gitops.ledger.web import PASSWORD, USER, WebServer, served
from tests.lab.fleet import Lab
from tests.lab.host import LabHost

AROUND = Surroundings(user="ann", host="box")


def decide(ledger: RefLedger, n: int = 0) -> None:
    change = JobChange(key="web", evaluations=(Evaluation(id=f"e{n}", triggered_by="t"),))
    ledger.commit(ledger.read(), [change], message=f"decide {n}", guards=[])


def works(open_as: Callable[[str], RefLedger]) -> None:
    """A ledger is checked, written by one, read and written by another."""
    ann, bob = open_as("ann"), open_as("bob")
    ann.check()
    decide(ann, 1)
    decide(bob, 2)
    assert ann.read().recorded.index == 2
    assert [h.index for h in open_as("eve").history("web")] == [2, 1]


# -- https ----------------------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[WebServer]:
    git(tmp_path, "init", "-q", "--bare", "r.git")
    git(tmp_path / "r.git", "config", "http.receivepack", "true")
    with served(tmp_path) as server:
        monkeypatch.setenv("GIT_SSL_CAINFO", str(server.certificate))
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        yield server


def test_https_with_the_right_password(web: WebServer, tmp_path: Path) -> None:
    url = web.url("r.git", f"{USER}:{PASSWORD}@")
    works(lambda user: open_at(url, tmp_path / user, user))
    kept = b"".join(p.read_bytes() for p in tmp_path.glob("ann/**/*") if p.is_file())
    assert PASSWORD.encode() not in kept


@pytest.mark.parametrize("login", ["", f"{USER}:wrong@"])
def test_https_without_the_right_password(web: WebServer, tmp_path: Path, login: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        open_at(web.url("r.git", login), tmp_path / "cache").read()
    assert "give git a credential" in caught.value.hint
    assert "wrong" not in caught.value.message


def test_https_that_may_only_be_read(web: WebServer, tmp_path: Path) -> None:
    git(tmp_path / "r.git", "config", "http.receivepack", "false")
    ledger = open_at(web.url("r.git", f"{USER}:{PASSWORD}@"), tmp_path / "cache")
    with pytest.raises(LedgerError, match="can't be written"):
        decide(ledger)


# -- forges that refuse ---------------------------------------------------------------------------

_BRANCHES_ONLY = """#!/bin/sh
case "$1" in refs/heads/*) exit 0 ;; esac
echo "only branches may be pushed" >&2
exit 1
"""


def bare(tmp_path: Path, hook: str = "") -> Path:
    repository = tmp_path / "forge.git"
    git(tmp_path, "init", "-q", "--bare", str(repository))
    if hook:
        path = repository / "hooks" / "update"
        path.parent.mkdir(exist_ok=True)
        path.write_text(hook)
        path.chmod(0o755)
    return repository


def below(prefix: str, url: str, cache: Path) -> RefLedger:
    address = Address(url=url, cluster="dev", prefix=prefix, cache=cache)
    return open_ledger(address, AROUND)


@pytest.mark.parametrize("how", ["hook", "hidden"])
def test_a_forge_that_takes_branches_only_names_the_setting(tmp_path: Path, how: str) -> None:
    repository = bare(tmp_path, _BRANCHES_ONLY if how == "hook" else "")
    if how == "hidden":
        git(repository, "config", "receive.hideRefs", "refs/orch")
    url = f"file://{repository}"
    ledger = below("refs/orch", url, tmp_path / "cache")
    for write in (ledger.check, lambda: decide(ledger)):
        with pytest.raises(LedgerError, match="refuses to be changed") as caught:
            write()
        assert 'prefix = "refs/heads/orch"' in caught.value.hint
    works(lambda user: below("refs/heads/orch", url, tmp_path / user))
    assert "refs/heads/orch/dev/state" in git(repository, "for-each-ref")


def test_each_prefix_has_a_cache_of_its_own(tmp_path: Path) -> None:
    url = f"file://{bare(tmp_path)}"
    cache = tmp_path / "cache"
    decide(below("refs/orch", url, cache))
    other = below("refs/heads/orch", url, cache)
    assert other.read().recorded.index == 0
    assert len(list(cache.iterdir())) == 2


# -- inventory hosts ------------------------------------------------------------------------------


def hop(host: LabHost, **changes: object) -> Hop:
    values: dict[str, object] = {
        "name": host.name,
        "host": host.name,
        "address": host.address,
        "port": 22,
        "user": "root",
        "identities": Identities(files=(str(host.key_path),), only=True, needed=True),
        "known": KnownKeys(keys=(host.host_key,)),
        "connect_timeout": 10.0,
        "keepalive": 5.0,
        "keepalive_count": 3,
    }
    return Hop(**(values | changes))  # type: ignore[arg-type] # pyright: ignore


def on_host(place: SshPlace, cache: Path, user: str = "ann") -> RefLedger:
    url = f"host:{place.target.name}:{place.path}"
    address = Address(url=url, cluster="dev", cache=cache, place=place)
    return open_ledger(address, Surroundings(user=user, host="box"))


@pytest.fixture
def h1(lab: Lab) -> Generator[LabHost]:
    host = lab.host("h1")
    host.sh("rm -rf '/srv/l g.git' /srv/ledger.git /srv/kept")
    yield host
    host.heal()


@pytest.mark.lab
def test_a_repository_on_a_host_is_made_guarded_and_shared(h1: LabHost, tmp_path: Path) -> None:
    place = SshPlace(hops=(hop(h1),), path="/srv/l g.git")
    ann = on_host(place, tmp_path / "ann")
    assert ann.read().recorded.index == 0
    assert h1.sh("ls /srv") == ""
    works(lambda user: on_host(place, tmp_path / user, user))
    state = "refs/orch/dev/state"
    rewound = h1.sh(
        f"git clone -q --mirror '/srv/l g.git' /tmp/m && cd /tmp/m && "
        f"git push -q -f '/srv/l g.git' {state}~1:{state} 2>&1 || echo refused; rm -rf /tmp/m"
    )
    assert "can't be rewound" in rewound
    assert "refused" in rewound


@pytest.mark.lab
def test_through_jump_hosts(h1: LabHost, lab: Lab, tmp_path: Path) -> None:
    place = SshPlace(
        hops=(hop(lab.host("h3")), hop(lab.host("h2")), hop(h1)), path="/srv/ledger.git"
    )
    works(lambda user: on_host(place, tmp_path / user, user))


def add_user(host: LabHost, name: str) -> None:
    """A user who logs in with the lab's key and owns nothing below /srv."""
    host.sh(
        f"id -u {name} >/dev/null 2>&1 || useradd -m -s /bin/sh -p '*' {name}; "
        f"mkdir -p /home/{name}/.ssh; cp /root/.ssh/authorized_keys /home/{name}/.ssh/; "
        f"chown -R {name} /home/{name}; chmod 700 /home/{name}/.ssh"
    )


@pytest.mark.lab
def test_a_user_who_may_become_its_owner_is_enough(h1: LabHost, tmp_path: Path) -> None:
    add_user(h1, "admin")
    add_user(h1, "keeper")
    h1.sh("mkdir -p /srv/kept && chown keeper /srv/kept && chmod 700 /srv/kept")
    h1.sh("echo 'admin ALL=(keeper) NOPASSWD: ALL' >/etc/sudoers.d/admin")
    path = "/srv/kept/l g.git"
    admin = (hop(h1, user="admin"),)
    as_keeper = SshPlace(hops=admin, path=path, become_user="keeper")
    works(lambda user: on_host(as_keeper, tmp_path / user, user))
    assert h1.sh(f"stat -c %U '{path}/HEAD'") == "keeper\n"
    with pytest.raises(LedgerError, match="Permission denied"):
        decide(on_host(SshPlace(hops=admin, path=path), tmp_path / "a"))
    h1.sh("rm /etc/sudoers.d/admin")
    with pytest.raises(LedgerError, match="sudo: a password is required"):
        on_host(as_keeper, tmp_path / "b").read()


@pytest.mark.lab
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"known": KnownKeys(keys=("ssh-ed25519 " + "A" * 68,))}, "Host key verification failed"),
        ({"known": KnownKeys()}, "Host key verification failed"),
        ({"user": "nobody"}, "Permission denied"),
        ({"port": 23}, "Connection refused"),
    ],
)
def test_what_is_wrong_with_a_host_is_said(
    h1: LabHost, tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    place = SshPlace(hops=(hop(h1, **changes),), path="/srv/ledger.git")
    with pytest.raises(UnreachableError, match=said):
        on_host(place, tmp_path / "cache").read()


@pytest.mark.lab
def test_a_host_that_is_cut_off_is_unreachable(h1: LabHost, tmp_path: Path) -> None:
    decide(open_at_host(h1, tmp_path / "cache"))
    hasty = open_at_host(h1, tmp_path / "cache", patience=1)
    h1.partition()
    with pytest.raises(UnreachableError, match="timed out"):
        hasty.read()


# Waits, with the ref moved or not yet, until the test lets it go on.
_STALL = """#!/bin/sh
case "$1" in aborted) exit 0 ;; esac
[ "$1" != prepared ] || [ -e /tmp/stall-before ] || exit 0
[ "$1" = prepared ] || [ -e /tmp/stall-after ] || exit 0
: >/tmp/stalling
while [ -e /tmp/stall-before ] || [ -e /tmp/stall-after ]; do sleep 0.05; done
"""


@pytest.mark.lab
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_killed_around_the_push_is_settled(
    h1: LabHost, tmp_path: Path, when: str
) -> None:
    """The push goes on without its connection, and lands while it is tried again."""
    ledger = stalling(h1, tmp_path)
    h1.sh(f"touch /tmp/stall-{when}")

    def kill() -> None:
        until_stalling(h1)
        h1.sh("pkill -9 -f '[s]shd: root'", check=False)
        sleep(0.5)
        h1.sh(f"rm -f /tmp/stall-{when}")

    with thread(kill):
        decide(ledger, 1)
    other = open_at_host(h1, tmp_path / "other")
    assert [h.index for h in other.history("web")] == [2, 1]
    assert len(other.read().recorded.job("web").evaluations) == 2


@pytest.mark.lab
def test_a_lock_that_a_dead_push_left_is_named_and_later_removed(
    h1: LabHost, tmp_path: Path
) -> None:
    ledger = stalling(h1, tmp_path)
    h1.sh("touch /tmp/stall-before")

    def kill() -> None:
        until_stalling(h1)
        h1.sh("pkill -9 git; rm -f /tmp/stall-before", check=False)

    with thread(kill), pytest.raises(LedgerError, match=r"state\.lock': File exists"):
        decide(ledger, 1)
    h1.sh("touch -d '10 minutes ago' /srv/ledger.git/refs/orch/dev/state.lock")
    decide(ledger, 2)
    assert ledger.read().recorded.index == 2


@pytest.mark.lab
def test_a_host_that_freezes_after_the_push_leaves_the_outcome_unknown(
    h1: LabHost, tmp_path: Path
) -> None:
    # It is tried again and again for as long as this.
    ledger = stalling(h1, tmp_path, patience=4)
    h1.sh("touch /tmp/stall-after")

    def freeze() -> None:
        until_stalling(h1)
        h1.freeze()

    with thread(freeze), pytest.raises(OutcomeUnknownError, match="is unknown"):
        decide(ledger, 1)
    h1.heal()
    h1.sh("rm -f /tmp/stall-after")
    # It had arrived: nothing is doubled by going on.
    decide(ledger, 2)
    assert open_at_host(h1, tmp_path / "other").read().recorded.index == 3


@contextmanager
def thread(work: Callable[[], None]) -> Generator[None]:
    """Let something happen meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result()


def open_at_host(host: LabHost, cache: Path, patience: float = 60) -> RefLedger:
    """A ledger on a host; `patience` is for its connections, in seconds."""
    place = SshPlace(hops=(hop(host, connect_timeout=patience),), path="/srv/ledger.git")
    return on_host(place, cache)


def stalling(host: LabHost, tmp_path: Path, patience: float = 60) -> RefLedger:
    """A ledger with one decision, whose host waits at the next one."""
    ledger = open_at_host(host, tmp_path / "cache", patience)
    decide(ledger, 0)
    host.sh("rm -f /tmp/stall*")
    hook = host.root / "srv/ledger.git/hooks/reference-transaction"
    hook.write_text(_STALL)
    hook.chmod(0o755)
    return ledger


def until_stalling(host: LabHost) -> None:
    for _ in range(2000):
        if (host.root / "tmp/stalling").exists():
            return
        sleep(0.05)
    raise AssertionError("the push never arrived")


@pytest.mark.parametrize("url", ["host:", "host:h1", "host:h1:srv", "host:h 1:/x", "host:h1:/a\nb"])
def test_an_address_on_a_host_has_one_form(url: str) -> None:
    with pytest.raises(LedgerError, match="does not name a repository"):
        host_place(url)


def test_odd_names_reach_ssh_whole() -> None:
    odd = Hop(
        name="a b",
        host="a b",
        address="h",
        port=2,
        user="u",
        identities=Identities(files=("/k %h'$x",), only=True),
        known=KnownKeys(keys=("ssh-ed25519 AAAA",)),
        connect_timeout=10,
        keepalive=5,
        keepalive_count=3,
    )
    place = SshPlace(hops=(odd,), path="/srv/it's %20.git")
    command = place.environment(Path("/c d"))["GIT_SSH_COMMAND"]
    assert "'IdentityFile=\"/k %%h'\"'\"'$x\"'" in command
    assert "'UserKnownHostsFile=\"/c d/orch-a-b.known_hosts\"'" in command
    assert place.url == "ssh://u@h:2/srv/it%27s%20%2520.git"
    assert shutil.which("ssh") is None or os.access(str(shutil.which("ssh")), os.X_OK)
