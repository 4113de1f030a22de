from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

import pytest

from gitops.ledger.errors import LedgerError, RewoundError, UnreachableError
from gitops.ledger.journal import JournalEntry, RunInfo
from gitops.ledger.opening import Address, open_ledger
from gitops.ledger.protocol import Guard, Ledger
from gitops.ledger.ref_ledger import RefLedger
from planner.errors import ConflictError
from planner.job import Job
from planner.node_record import NodeRecord
from planner.recorded import Evaluation, JobChange, JobVersion, Recorded
from tests.gitops.ledger.conftest import Site, git, open_at


def evaluation(key: str, number: int) -> JobChange:
    return JobChange(key=key, evaluations=(Evaluation(id=f"{key}-{number}", triggered_by="t"),))


def decide(ledger: Ledger, key: str, number: int = 0) -> int:
    snapshot = ledger.read()
    guard = Guard(key=key, modify_index=snapshot.recorded.job(key).modify_index)
    change = evaluation(key, number)
    return ledger.commit(snapshot, [change], message=key, guards=[guard]).recorded.index


def test_an_empty_ledger_is_read_and_nothing_is_made(place: Site, tmp_path: Path) -> None:
    snapshot = place.open("ann").read()
    assert snapshot.recorded == Recorded(cluster="dev", epoch=1)
    assert (snapshot.head, snapshot.runs) == ("", {})
    if place.kind == "local":
        assert not place.repository.exists()
        assert list(tmp_path.iterdir()) == []


def test_what_is_committed_is_read_by_others(place: Site) -> None:
    ann, bob = place.open("ann"), place.open("bob")
    version = JobVersion(version=0, index=0, submit_time=1, job=Job(id="web", name="web"))
    change = JobChange(key="web@a/b", register=version, run="r1", repository="host/jobs")
    node = NodeRecord(id="n-1", name="sto/1")
    new = ann.commit(ann.read(), [change], [node], message="begin", guards=[])
    assert bob.read() == new
    state = new.recorded.job("web@a/b")
    assert (state.create_index, state.job_modify_index, state.run) == (1, 1, "r1")
    assert new.recorded.nodes == {"sto/1": node}


def test_a_tombstone_stays_after_a_purge(place: Site) -> None:
    ledger = place.open("ann")
    decide(ledger, "web")
    ledger.commit(ledger.read(), [JobChange(key="web", purge=True)], message="purge", guards=[])
    state = place.open("bob").read().recorded.jobs["web"]
    assert (state.modify_index, state.evaluations) == (2, ())


def test_a_loser_on_another_job_goes_on_from_the_new_state(place: Site) -> None:
    ann, bob = place.open("ann"), place.open("bob")
    stale = bob.read()
    decide(ann, "web")
    guard = Guard(key="db", modify_index=0)
    new = bob.commit(stale, [evaluation("db", 1)], message="db", guards=[guard])
    assert new.recorded.index == 2
    assert set(ann.read().recorded.jobs) == {"web", "db"}


def test_a_loser_on_the_same_job_is_told_by_whom(git_place: Site) -> None:
    ann, bob = git_place.open("ann"), git_place.open("bob")
    stale = bob.read()
    decide(ann, "web")
    before = bob.read()
    with pytest.raises(ConflictError) as caught:
        bob.commit(
            stale,
            [evaluation("web", 2)],
            message="bob's",
            guards=[Guard(key="web", modify_index=0)],
        )
    assert caught.value.exit_code == 3
    for word in ("'web'", "expected index 0", "found 1", "ann@box"):
        assert word in str(caught.value)
    assert bob.read() == before


def test_history_is_read_lazily_newest_first(place: Site) -> None:
    ledger = place.open("ann")
    for n in range(3):
        decide(ledger, "web", n)
        decide(ledger, "other", n)
    entries = list(islice(ledger.history("web"), 2))
    assert [(e.index, e.message.strip()) for e in entries] == [(5, "web"), (3, "web")]
    full = list(ledger.history("web"))
    assert [len(e.state.evaluations) for e in full] == [3, 2, 1]
    assert list(ledger.history("nobody")) == []


def test_check_leaves_nothing(place: Site) -> None:
    ledger = place.open("ann")
    decide(ledger, "web")
    before = ledger.read()
    ledger.check()
    assert place.open("bob").read() == before


def test_commits_have_one_parent_and_a_nonce(git_place: Site) -> None:
    ledger = git_place.open("ann")
    for n in range(2):
        decide(ledger, "web", n)
    ref = "refs/orch/dev/state"
    assert git(git_place.repository, "log", "--format=%an %ce|%P", ref).count("|") == 2
    metas = {git(git_place.repository, "show", f"{ref}~{n}:meta.json") for n in (0, 1)}
    assert len(metas) == 2
    assert all('"Nonce":"' in m and '"Format":1' in m for m in metas)
    assert git(git_place.repository, "fsck", "--strict", "--no-dangling") == ""


def race(ledgers: list[RefLedger], keys: list[str], rounds: int) -> list[int]:
    """Each ledger decides `rounds` times in a thread of its own; returns the indexes won."""
    won: list[int] = []

    def work(ledger: RefLedger, key: str) -> None:
        for n in range(rounds):
            try:
                won.append(decide(ledger, key, n))
            except ConflictError:
                continue

    threads = [threading.Thread(target=work, args=pair) for pair in zip(ledgers, keys, strict=True)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return won


def test_clones_racing_on_different_jobs_all_win(git_place: Site) -> None:
    names = ["ann", "bob", "eve"]
    ledgers = [git_place.open(n) for n in names]
    won = race(ledgers, names, 4)
    assert sorted(won) == list(range(1, 13))
    jobs = git_place.open("zed").read().recorded.jobs
    assert {k: len(s.evaluations) for k, s in jobs.items()} == dict.fromkeys(names, 4)


def test_clones_racing_on_one_job_win_once_per_index(git_place: Site) -> None:
    ledgers = [git_place.open(n) for n in ("ann", "bob", "eve")]
    won = race(ledgers, ["web"] * 3, 4)
    assert sorted(won) == list(range(1, len(won) + 1))
    assert git_place.open("zed").read().recorded.index == len(won)


def test_a_rewound_ledger_is_refused_until_accepted(git_place: Site) -> None:
    ledger = git_place.open("ann")
    for n in range(3):
        decide(ledger, "web", n)
    snapshot = ledger.read()
    ref = "refs/orch/dev/state"
    git(git_place.repository, "update-ref", ref, f"{ref}~1")
    for again in (ledger, git_place.open("ann")):
        with pytest.raises(RewoundError, match=r"index 3 .* was seen") as caught:
            again.read()
        assert "orch ledger repair" in caught.value.hint
    with pytest.raises(RewoundError):
        ledger.commit(snapshot, [evaluation("web", 9)], message="x", guards=[])
    ledger.accept_rewind()
    assert ledger.read().recorded.index == 2


def test_a_ledger_with_another_past_or_emptied_is_refused(git_place: Site) -> None:
    ledger = git_place.open("ann")
    decide(ledger, "web")
    ref = "refs/orch/dev/state"
    git(git_place.repository, "update-ref", "-d", ref)
    with pytest.raises(RewoundError, match="now empty"):
        ledger.read()
    other = git_place.open("bob")
    for n in range(3):
        decide(other, "web", n)
    with pytest.raises(RewoundError, match="without that in its past"):
        ledger.read()


def test_a_rewound_cache_that_is_deleted_reads_anew(git_place: Site, tmp_path: Path) -> None:
    decide(git_place.open("ann"), "web")
    cache = tmp_path / "other"
    before = open_at(git_place.url, cache).read()
    for part in sorted(cache.rglob("*"), reverse=True):
        part.unlink() if part.is_file() else part.rmdir()
    assert open_at(git_place.url, cache).read() == before


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    repository = tmp_path / "r.git"
    git(tmp_path, "init", "-q", "--bare", str(repository))
    url, cache = f"file://{repository}", tmp_path / "cache"
    ledger = open_at(url, cache)
    decide(ledger, "web")
    before = ledger.read()
    (objects,) = cache.glob("*/objects.git")
    (objects / "refs/orch/dev/state").write_text("broken\n")
    (objects / "packed-refs.lock").touch()
    assert open_at(url, cache).read() == before


def stored_in(site: Site, path: str, content: bytes) -> None:
    """Put a file into the state as somebody else's commit."""
    ref = "refs/orch/dev/state"
    work = site.repository.parent / "work"
    if not work.exists():
        git(site.repository.parent, "init", "-q", str(work))
    git(work, "fetch", "-q", str(site.repository), ref)
    git(work, "checkout", "-q", "FETCH_HEAD")
    (work / path).write_bytes(content)
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "by hand")
    git(work, "push", "-q", str(site.repository), f"HEAD:{ref}")


def test_a_newer_format_is_refused(git_place: Site) -> None:
    ledger = git_place.open("ann")
    decide(ledger, "web")
    stored_in(git_place, "meta.json", b'{"Format":2,"Future":true}\n')
    with pytest.raises(LedgerError, match=r"format 2 .*knows up to 1") as caught:
        ledger.read()
    assert "upgrade orch" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "Expecting"), (b"[]", "expected an object"), (b'{"Key":"x"}', "about job 'x'")],
)
def test_unreadable_records_name_ref_commit_and_path(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    repository = tmp_path / "r.git"
    place = Site("local", str(repository), repository, lambda _: open_at("", tmp_path))
    ledger = open_at(str(repository), tmp_path / "cache")
    decide(ledger, "web")
    (path,) = git(
        repository, "ls-tree", "-r", "--name-only", "refs/orch/dev/state", "jobs/"
    ).split()
    stored_in(place, path, content)
    # The index moves with each decision, so one made by hand is taken for a rewound one.
    ledger.accept_rewind()
    with pytest.raises(LedgerError) as caught:
        ledger.read().recorded.job("web")
    head = git(repository, "rev-parse", "refs/orch/dev/state")[:12]
    for word in ("state", head, path, reason):
        assert word in str(caught.value)


def test_another_cluster_is_refused(tmp_path: Path) -> None:
    repository = tmp_path / "r.git"
    decide(open_at(str(repository), tmp_path / "cache"), "web")
    git(repository, "update-ref", "refs/orch/prod/state", "refs/orch/dev/state")
    ledger = open_ledger(Address(url=str(repository), cluster="prod", cache=tmp_path / "cache"))
    with pytest.raises(LedgerError, match="belongs to cluster 'dev', not 'prod'"):
        ledger.read()


def test_reading_leaves_the_ledger_byte_for_byte(git_place: Site) -> None:
    ledger = git_place.open("ann")
    run = ledger.open_run(RunInfo(id="r1", holder="ann@box"))
    decide(ledger, "web")
    run.append(JournalEntry(kind="intent"))
    before = tree_of(git_place.repository)
    git_place.open("bob").read()
    list(git_place.open("bob").history("web"))
    assert tree_of(git_place.repository) == before


def tree_of(directory: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in directory.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///nowhere/ledger.git", ("can't be reached", "git ls-remote")),
        ("http://user:secret@127.0.0.1:9/x.git", ("http://127.0.0.1:9/x.git", "git ls-remote")),
        ("ssh://git@127.0.0.1:9/x.git", ("ssh://git@127.0.0.1:9/x.git",)),
    ],
)
def test_an_unreachable_ledger_is_one_clear_error(
    tmp_path: Path, url: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(UnreachableError) as caught:
        open_at(url, tmp_path / "cache").read()
    text = f"{caught.value.message} {caught.value.hint}"
    assert "secret" not in text
    assert all(word in text for word in words), text


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_path_that_is_no_repository_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("hello")
    else:
        (path / "sub").mkdir(parents=True)
    ledger = open_at(str(path), tmp_path / "cache")
    with pytest.raises(LedgerError, match="is not a Git repository") as caught:
        ledger.read()
    assert "orch.toml" in caught.value.hint
    with pytest.raises(LedgerError):
        decide(ledger, "web")
    assert [p.name for p in tmp_path.rglob("*")] in (["x"], ["x", "sub"])


def test_pushes_can_neither_delete_nor_rewind_the_state(tmp_path: Path) -> None:
    repository = tmp_path / "new" / "ledger.git"
    ledger = open_at(str(repository), tmp_path / "cache")
    for n in range(2):
        decide(ledger, "web", n)
    ledger.open_run(RunInfo(id="r1", holder="x"))
    clone = tmp_path / "clone"
    git(tmp_path, "init", "-q", str(clone))
    git(clone, "fetch", "-q", str(repository), "refs/orch/dev/state")
    head = git(repository, "rev-parse", "refs/orch/dev/state")
    git(clone, "push", str(repository), ":refs/orch/dev/state", check=False)
    git(clone, "push", "-f", str(repository), "FETCH_HEAD~1:refs/orch/dev/state", check=False)
    assert git(repository, "rev-parse", "refs/orch/dev/state") == head
    git(clone, "push", str(repository), ":refs/orch/dev/runs/r1")
    assert ledger.read().runs == {}


def test_a_place_that_refuses_is_said_so(tmp_path: Path) -> None:
    repository = tmp_path / "r.git"
    git(tmp_path, "init", "-q", "--bare", str(repository))
    hook = repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected \033[31mref' >&2; exit 1\n")
    hook.chmod(0o755)
    ledger = open_at(f"file://{repository}", tmp_path / "cache")
    with pytest.raises(LedgerError, match=r"refuses to be changed: .*protected") as caught:
        decide(ledger, "web")
    assert "\033" not in str(caught.value)
    with pytest.raises(LedgerError, match="refuses to be changed"):
        ledger.check()
