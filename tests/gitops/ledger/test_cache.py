"""A cache that vanishes, breaks or is shared; locks left behind; pasts that are left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from gitops.git import NoGitError
from gitops.ledger.errors import LedgerError
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.locks import STALE_SECONDS, lock_files, remove_stale
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.protocol import Snapshot
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.surroundings import Surroundings
from planner.recorded import Evaluation, JobChange
from tests.gitops.ledger.conftest import Site, git, open_at, site


@pytest.fixture
def remote(tmp_path: Path) -> Site:
    return site("remote", tmp_path)


def change(n: int = 0, key: str = "web") -> JobChange:
    return JobChange(key=key, evaluations=(Evaluation(id=f"e{n}", triggered_by="t"),))


def decide(ledger: RefLedger, n: int = 0, key: str = "web") -> Snapshot:
    return ledger.commit(ledger.read(), [change(n, key)], message=f"decide {n}", guards=[])


def objects(remote: Site, user: str = "ann") -> Path:
    (own,) = (remote.repository.parent / f"cache-{user}").iterdir()
    return own / "objects.git"


def gone(remote: Site) -> None:
    shutil.rmtree(remote.repository.parent / "cache-ann")


def emptied(remote: Site) -> None:
    for path in (objects(remote) / "objects").iterdir():
        shutil.rmtree(path)


def beheaded(remote: Site) -> None:
    (objects(remote) / "HEAD").unlink()


def garbled(remote: Site) -> None:
    for path in (objects(remote) / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"x")


DAMAGES = [gone, emptied, beheaded, garbled]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_cache_that_breaks_between_two_commands(
    remote: Site, damage: Callable[[Site], None]
) -> None:
    decide(remote.open("ann"))
    damage(remote)
    ledger = remote.open("ann")
    assert ledger.read().recorded.index == 1
    assert decide(ledger, 1).recorded.index == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_cache_that_breaks_during_a_command(remote: Site, damage: Callable[[Site], None]) -> None:
    ledger = remote.open("ann")
    snapshot = decide(ledger)
    run = ledger.open_run(RunInfo(id="r1", holder="ann@box"))
    damage(remote)
    snapshot = ledger.commit(snapshot, [change(1)], message="x", guards=[])
    damage(remote)
    run.append(JournalEntry(kind="intent"))
    damage(remote)
    assert ledger.read().head == snapshot.head
    assert [h.index for h in ledger.history("web")] == [2, 1]
    run.close()
    git(remote.repository, "fsck", "--strict", "--connectivity-only")


def test_a_cache_is_not_at_fault_where_git_is_missing(
    remote: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = remote.open("ann")
    decide(ledger)
    kept = objects(remote)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoGitError, match="the git program was not found"):
        ledger.read()
    assert (kept / "HEAD").is_file()


# Counts git's commands, and removes the cache before the one whose number is in `at`.
_REMOVING_GIT = """#!/bin/sh
echo >> {directory}/count
if [ "$(wc -l < {directory}/count)" -eq "$(cat {directory}/at)" ]; then
    rm -rf {cache}/*/objects.git
fi
exec {git} "$@"
"""


@pytest.fixture
def vanishing(remote: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a `git` that removes ann's cache once; see `_REMOVING_GIT`."""
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / "git"
    cache = remote.repository.parent / "cache-ann"
    program.write_text(
        _REMOVING_GIT.format(directory=directory, cache=cache, git=shutil.which("git"))
    )
    program.chmod(0o755)
    (directory / "at").write_text("0")
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)
    return directory


def test_a_cache_that_vanishes_before_any_of_gits_commands(remote: Site, vanishing: Path) -> None:
    decide(remote.open("bob"))
    index, at, reached = 1, 0, True
    while reached:
        at += 1
        (vanishing / "count").write_text("")
        (vanishing / "at").write_text(f"{at}")
        ledger = remote.open("ann")
        assert decide(ledger, index).recorded.index == index + 1
        index += 1
        newest = [h.index for h in islice(ledger.history("web"), 3)]
        assert newest == [index, index - 1, index - 2][:index]
        reached = len((vanishing / "count").read_text()) >= at
    assert at > 6
    git(remote.repository, "fsck", "--strict", "--connectivity-only")


_WRITER = """
import sys
from pathlib import Path
from gitops.ledger.opening import Address, open_ledger
from planner.recorded import Evaluation, JobChange
url, cache, name = sys.argv[1:]
ledger = open_ledger(Address(url=url, cluster="dev", cache=Path(cache)))
for n in range(8):
    change = JobChange(key=name, evaluations=(Evaluation(id=str(n), triggered_by="t"),))
    ledger.commit(ledger.read(), [change], message=name, guards=[])
"""


def test_processes_share_a_cache_that_vanishes_under_them(remote: Site, tmp_path: Path) -> None:
    cache = tmp_path / "shared"
    argv = [sys.executable, "-c", _WRITER, remote.url, str(cache)]
    writers = [subprocess.Popen([*argv, f"job{n}"]) for n in range(3)]
    for _ in range(4):
        time.sleep(0.4)
        for path in cache.glob("*/objects.git"):
            shutil.rmtree(path, ignore_errors=True)
    assert [w.wait() for w in writers] == [0, 0, 0]
    recorded = open_at(remote.url, tmp_path / "other").read().recorded
    assert recorded.index == 24
    assert all(len(recorded.job(f"job{n}").evaluations) == 8 for n in range(3))


# -- locks ----------------------------------------------------------------------------------------


def lock(path: Path, age: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("name", ["refs/orch/dev/state.lock", "packed-refs.lock"])
def test_an_old_lock_in_a_local_ledger_is_removed(tmp_path: Path, name: str) -> None:
    place = site("local", tmp_path)
    ledger = place.open("ann")
    decide(ledger)
    run = ledger.open_run(RunInfo(id="r1", holder="ann@box"))
    old = lock(place.repository / name, STALE_SECONDS + 60)
    decide(ledger, 1)
    run.close()
    assert not old.exists() or name == "packed-refs.lock"


def test_a_young_lock_is_named_and_left(tmp_path: Path) -> None:
    place = site("local", tmp_path)
    ledger = place.open("ann")
    decide(ledger)
    young = lock(place.repository / "refs/orch/dev/state.lock", 1)
    with pytest.raises(LedgerError, match=r"state\.lock': File exists") as caught:
        decide(ledger, 1)
    assert "*.lock" in caught.value.hint
    assert young.exists()


def test_a_lock_that_somebody_has_open_is_left(tmp_path: Path) -> None:
    path = lock(tmp_path / "packed-refs.lock", STALE_SECONDS + 60)
    with path.open():
        assert remove_stale(tmp_path) == []
    assert lock_files(tmp_path) == [path]
    assert remove_stale(tmp_path) == [path]


@pytest.mark.parametrize("name", ["shallow.lock", "packed-refs.lock", "config.lock"])
def test_a_lock_in_the_cache_does_not_matter(remote: Site, name: str) -> None:
    decide(remote.open("ann"))
    lock(objects(remote) / name, STALE_SECONDS + 60)
    decide(remote.open("bob"), 1)
    ledger = remote.open("ann")
    assert ledger.read().recorded.index == 2
    assert [h.index for h in ledger.history("web")] == [2, 1]


# -- the past -------------------------------------------------------------------------------------


def test_a_fresh_cache_holds_no_past_until_it_is_asked_for(remote: Site) -> None:
    ledger = remote.open("ann")
    for n in range(5):
        decide(ledger, n)
    bob = remote.open("bob")
    assert bob.read().recorded.index == 5
    cache = objects(remote, "bob")
    assert git(cache, "rev-list", "--count", "refs/orch/dev/state") == "1"
    decide(bob, 5)
    decide(ledger, 6)
    assert bob.read().recorded.index == 7
    assert git(cache, "rev-list", "--count", "refs/orch/dev/state") == "3"
    assert [h.index for h in bob.history("web")] == [7, 6, 5, 4, 3, 2, 1]


def test_what_was_seen_before_is_looked_for_in_the_whole_past(remote: Site) -> None:
    bob = remote.open("bob")
    decide(bob)
    ledger = remote.open("ann")
    for n in range(4):
        decide(ledger, n)
    shutil.rmtree(objects(remote, "bob"))
    assert bob.read().recorded.index == 5


def test_a_name_of_another_cluster_is_refused(remote: Site, tmp_path: Path) -> None:
    decide(remote.open("ann"))
    around = Surroundings(user="ann", host="box")
    git(remote.repository, "update-ref", "refs/orch/other/state", "refs/orch/dev/state")
    address = Address(url=remote.url, cluster="other", cache=tmp_path / "c")
    with pytest.raises(LedgerError, match="belongs to cluster 'dev'"):
        open_ledger(address, around).read()
