"""Answers that get lost, and writers that die."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.ledger.errors import LedgerError, OutcomeUnknownError
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.protocol import Guard
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.surroundings import Surroundings
from planner.errors import ConflictError
from planner.recorded import Evaluation, JobChange
from tests.gitops.ledger.conftest import git, open_at

# Kills the receiving end: the pusher gets no answer. While the file has lines, one per push.
_KILL = """#!/bin/sh
case "$1" in prepared|aborted) exit 0 ;; esac
[ -s "$GIT_DIR/faults" ] || exit 0
sed -i 1d "$GIT_DIR/faults"
kill -9 $PPID
"""
# The hook that runs after the ref has moved and before the pusher is told.
LANDED = "reference-transaction"
GUARD = Guard(key="web", modify_index=0)


def change(key: str, n: int = 0) -> JobChange:
    return JobChange(key=key, evaluations=(Evaluation(id=f"e{n}", triggered_by="t"),))


class Remote:
    """A bare repository whose answers get lost at a hook, `times` times."""

    def __init__(self, directory: Path, hook: str, times: int) -> None:
        self.repository = directory / "r.git"
        self.url = f"file://{self.repository}"
        self.cache = directory / "cache"
        git(directory, "init", "-q", "--bare", str(self.repository))
        path = self.repository / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(_KILL)
        path.chmod(0o755)
        self._times = times

    def break_down(self) -> None:
        (self.repository / "faults").write_text("x\n" * self._times)

    def open(self, sleep: Callable[[float], None] = lambda _: None) -> RefLedger:
        around = Surroundings(user="ann", host="box", sleep=sleep)
        return open_ledger(Address(url=self.url, cluster="dev", cache=self.cache), around)


@pytest.mark.parametrize("hook", ["pre-receive", "update", LANDED])
def test_a_lost_answer_is_settled_by_pushing_again(tmp_path: Path, hook: str) -> None:
    remote = Remote(tmp_path, hook, times=2)
    ledger = remote.open()
    snapshot = ledger.read()
    remote.break_down()
    new = ledger.commit(snapshot, [change("web")], message="x", guards=[GUARD])
    assert ledger.read() == new
    assert new.recorded.index == 1


def test_a_commit_that_arrived_and_was_built_upon_is_done(tmp_path: Path) -> None:
    remote = Remote(tmp_path, LANDED, times=1)
    other = open_at(remote.url, tmp_path / "other", "bob")

    def others_go_on(_: float) -> None:
        other.commit(other.read(), [change("db")], message="bob's", guards=[])

    ledger = remote.open(others_go_on)
    snapshot = ledger.read()
    remote.break_down()
    new = ledger.commit(snapshot, [change("web")], message="x", guards=[GUARD])
    assert new.recorded.index == 1
    assert open_at(remote.url, tmp_path / "third").read().recorded.index == 2


def test_a_commit_that_others_overtook_is_lost_cleanly(tmp_path: Path) -> None:
    remote = Remote(tmp_path, "pre-receive", times=1)
    other = open_at(remote.url, tmp_path / "other", "bob")

    def others_win(_: float) -> None:
        if other.read().recorded.index == 0:
            other.commit(other.read(), [change("web", 1)], message="bob's", guards=[])

    ledger = remote.open(others_win)
    snapshot = ledger.read()
    remote.break_down()
    with pytest.raises(ConflictError, match="found 1, committed by bob@box"):
        ledger.commit(snapshot, [change("web")], message="x", guards=[GUARD])


def test_without_any_answer_the_outcome_is_unknown(tmp_path: Path) -> None:
    remote = Remote(tmp_path, LANDED, times=1)
    ledger = remote.open(lambda _: _hide(remote.repository))
    snapshot = ledger.read()
    remote.break_down()
    with pytest.raises(OutcomeUnknownError, match="is unknown") as caught:
        ledger.commit(snapshot, [change("web")], message="x", guards=[GUARD])
    assert "no host was touched" in caught.value.hint
    (tmp_path / "away").rename(remote.repository)
    assert ledger.read().recorded.index == 1


def _hide(repository: Path) -> None:
    if repository.exists():
        repository.rename(repository.parent / "away")


def test_a_journal_goes_on_after_an_unknown_outcome(tmp_path: Path) -> None:
    remote = Remote(tmp_path, LANDED, times=1)
    ledger = remote.open(lambda _: _hide(remote.repository))
    run = ledger.open_run(RunInfo(id="r1", holder="ann@box"))
    remote.break_down()
    with pytest.raises(OutcomeUnknownError):
        run.beat()
    (tmp_path / "away").rename(remote.repository)
    assert run.append(JournalEntry(kind="intent")).seq == 1
    assert ledger.read().runs["r1"].position == 3


_WRITER = """
import sys
from pathlib import Path
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.opening import Address, open_ledger
from planner.recorded import Evaluation, JobChange
url, cache, run_id = sys.argv[1:]
ledger = open_ledger(Address(url=url, cluster="dev", cache=Path(cache)))
run = ledger.open_run(RunInfo(id=run_id, holder="writer@box"))
snapshot = ledger.commit(ledger.read(), [JobChange(key=run_id, run=run_id)], message="b", guards=[])
n = 0
while True:
    n += 1
    run.append(JournalEntry(kind="intent", note=str(n)))
    print("journal", n, flush=True)
    change = JobChange(key=run_id, evaluations=(Evaluation(id=str(n), triggered_by="t"),))
    snapshot = ledger.commit(snapshot, [change], message="w", guards=[])
    print("state", n, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 2, 5])
@pytest.mark.parametrize("kind", ["local", "remote"])
def test_a_writer_that_is_killed_leaves_a_readable_ledger(
    tmp_path: Path, kind: str, lines: int
) -> None:
    repository = tmp_path / "r.git"
    url = str(repository)
    if kind == "remote":
        git(tmp_path, "init", "-q", "--bare", str(repository))
        url = f"file://{repository}"
    command = [sys.executable, "-c", _WRITER, url, str(tmp_path / "cache"), "r1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().split() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        said += [line.split() for line in writer.stdout.read().splitlines()]
    reported = {kind: int(n) for kind, n in said}
    # With the dead writer's cache, which may hold its lock file or half a fetch.
    ledger = open_at(url, tmp_path / "cache")
    snapshot = ledger.read()
    entries = snapshot.runs["r1"].entries
    evaluations = snapshot.recorded.job("r1").evaluations
    assert [e.note for e in entries] == [str(n + 1) for n in range(len(entries))]
    assert len(entries) >= reported["journal"]
    assert len(evaluations) >= reported.get("state", 0)
    assert ledger.adopt(snapshot, "r1", "r2").recorded.job("r1").run == "r2"
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_what_was_seen_survives_a_broken_file(tmp_path: Path) -> None:
    repository = tmp_path / "r.git"
    ledger = open_at(str(repository), tmp_path / "cache")
    ledger.commit(ledger.read(), [change("web")], message="x", guards=[])
    (seen,) = (tmp_path / "cache").glob("*/seen.json")
    assert json.loads(seen.read_text())["Index"] == 1
    seen.write_text("{")
    assert ledger.read().recorded.index == 1
    assert json.loads(seen.read_text())["Index"] == 1


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file where a directory should be")
    for url in (f"file://{tmp_path / 'r.git'}", str(tmp_path / "l.git")):
        ledger = open_at(url, cache)
        with pytest.raises(LedgerError, match="cache"):
            ledger.commit(ledger.read(), [change("web")], message="x", guards=[])
