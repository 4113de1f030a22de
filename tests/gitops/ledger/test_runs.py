from __future__ import annotations

import pytest

from gitops.ledger.errors import AskedError, LedgerError, SealedError
from gitops.ledger.journal import JournalEntry, RunInfo, fold
from gitops.ledger.protocol import Guard, Ledger, Run, Snapshot
from planner.errors import ConflictError
from planner.job import Job
from planner.recorded import AllocRecord, ClientStatus, JobChange, JobVersion
from planner.request import Answer, Request, Verb
from tests.gitops.ledger.conftest import Site


def info(run_id: str) -> RunInfo:
    return RunInfo(id=run_id, holder=f"{run_id}@box", jobs=("web", "db"), ttl=30)


def alloc(n: int, client: ClientStatus = ClientStatus.PENDING) -> AllocRecord:
    return AllocRecord(id=f"a{n}", name=f"web.api[{n}]", group="api", node="h1", client=client)


def intent(key: str, n: int) -> JournalEntry:
    return JournalEntry(kind="intent", changes=(JobChange(key=key, allocs=(alloc(n),)),))


def begin(ledger: Ledger, run_id: str) -> tuple[Run, Snapshot]:
    """Open a run that holds jobs `web` and `db`, each with one version."""
    run = ledger.open_run(info(run_id))
    changes = [
        JobChange(
            key=key,
            run=run_id,
            register=JobVersion(version=0, index=0, submit_time=0, job=Job(id=key, name=key)),
        )
        for key in ("web", "db")
    ]
    return run, ledger.commit(ledger.read(), changes, message="begin", guards=[])


def test_entries_are_numbered_and_read_by_others(place: Site) -> None:
    run, _ = begin(place.open("ann"), "r1")
    assert [run.append(intent("web", n)).seq for n in range(2)] == [1, 2]
    run.beat()
    assert run.append(JournalEntry(kind="result", note="ok")).seq == 3
    head = place.open("bob").read().runs["r1"]
    assert [(e.seq, e.kind) for e in head.entries] == [(1, "intent"), (2, "intent"), (3, "result")]
    assert (head.info, head.position, head.sealed_by) == (info("r1"), 5, "")


def test_a_beat_moves_the_head_only(place: Site) -> None:
    ledger = place.open("ann")
    run, _ = begin(ledger, "r1")
    before = ledger.read().runs["r1"]
    run.beat()
    after = ledger.read().runs["r1"]
    assert after.head != before.head
    assert after.entries == before.entries


def test_a_closed_run_is_gone(place: Site) -> None:
    ledger = place.open("ann")
    run, _ = begin(ledger, "r1")
    run.append(intent("web", 0))
    run.close()
    assert place.open("bob").read().runs == {}
    for act in (run.beat, run.close, lambda: run.append(intent("web", 1))):
        with pytest.raises(SealedError):
            act()


def test_a_run_id_is_used_once(place: Site) -> None:
    ledger = place.open("ann")
    ledger.open_run(info("r1"))
    with pytest.raises(ConflictError, match="r1 exists already"):
        place.open("bob").open_run(info("r1"))
    with pytest.raises(LedgerError, match="can't be a run id"):
        ledger.open_run(info("../state"))


def test_a_takeover_folds_the_journal_and_stops_the_writer(place: Site) -> None:
    ann, bob = place.open("ann"), place.open("bob")
    run, _ = begin(ann, "r1")
    run.append(intent("web", 0))
    bob.open_run(info("r2"))
    new = bob.adopt(bob.read(), "r1", "r2")
    assert new.recorded.job("web").allocs == (alloc(0),)
    assert {s.run for s in new.recorded.jobs.values()} == {"r2"}
    assert set(new.runs) == {"r2"}
    with pytest.raises(SealedError):
        run.append(intent("web", 1))
    with pytest.raises(SealedError):
        run.beat()
    assert ann.read() == new


def test_jobs_that_are_not_wanted_are_released(place: Site) -> None:
    ledger = place.open("ann")
    run, _ = begin(ledger, "r1")
    run.append(intent("db", 0))
    new = ledger.adopt(ledger.read(), "r1", "r2", keys={"web"})
    assert {k: s.run for k, s in new.recorded.jobs.items()} == {"web": "r2", "db": ""}
    assert new.recorded.job("db").allocs == (alloc(0),)


def test_a_run_that_goes_on_is_not_taken(place: Site) -> None:
    ann, bob = place.open("ann"), place.open("bob")
    run, _ = begin(ann, "r1")
    snapshot = bob.read()
    run.beat()
    with pytest.raises(ConflictError, match="r1 of r1@box goes on"):
        bob.adopt(snapshot, "r1", "r2")
    run.append(intent("web", 0))
    assert {s.run for s in ann.read().recorded.jobs.values()} == {"r1"}


def test_of_two_adopters_one_wins(place: Site) -> None:
    begin(place.open("ann"), "r1")
    bob, eve = place.open("bob"), place.open("eve")
    seen_by_bob, seen_by_eve = bob.read(), eve.read()
    new = bob.adopt(seen_by_bob, "r1", "r2")
    with pytest.raises(ConflictError):
        eve.adopt(seen_by_eve, "r1", "r3")
    assert eve.read().recorded == new.recorded


def test_of_two_adopters_of_a_sealed_run_one_wins(place: Site) -> None:
    """The first adopter died between sealing and taking."""
    begin(place.open("ann"), "r1")
    dead = place.open("dead")
    dead.seal(dead.read().runs["r1"], "r0")
    bob, eve = place.open("bob"), place.open("eve")
    seen_by_bob, seen_by_eve = bob.read(), eve.read()
    assert seen_by_bob.runs["r1"].sealed_by == "r0"
    new = bob.adopt(seen_by_bob, "r1", "r2")
    with pytest.raises(ConflictError, match="changed by somebody else"):
        eve.adopt(seen_by_eve, "r1", "r3")
    assert {s.run for s in new.recorded.jobs.values()} == {"r2"}


def test_a_journal_left_over_changes_nothing(place: Site) -> None:
    """Its run died after its last commit, before removing the journal."""
    ledger = place.open("ann")
    run, snapshot = begin(ledger, "r1")
    run.append(intent("web", 0))
    done = [
        JobChange(key="web", allocs=(alloc(0, ClientStatus.RUNNING),), run=""),
        JobChange(key="db", run=""),
    ]
    snapshot = ledger.commit(ledger.read(), done, message="end", guards=[])
    assert ledger.read().folded() == snapshot.recorded
    after = ledger.adopt(ledger.read(), "r1", "r2")
    assert after.recorded == snapshot.recorded
    assert ledger.read().runs == {}


def test_folding_shows_what_is_journalled(place: Site) -> None:
    ledger = place.open("ann")
    run, snapshot = begin(ledger, "r1")
    run.append(intent("web", 0))
    run.append(
        JournalEntry(
            kind="result",
            changes=(JobChange(key="web", allocs=(alloc(0, ClientStatus.RUNNING),)),),
        )
    )
    read = ledger.read()
    assert read.recorded == snapshot.recorded
    assert read.folded().job("web").allocs == (alloc(0, ClientStatus.RUNNING),)
    assert read.folded().index == snapshot.recorded.index


def test_folding_twice_registers_a_version_once(place: Site) -> None:
    ledger = place.open("ann")
    _, snapshot = begin(ledger, "r1")
    version = JobVersion(version=1, index=0, submit_time=0, job=Job(id="web", name="web"))
    entry = JournalEntry(kind="revert", changes=(JobChange(key="web", register=version),))
    once = fold(snapshot.recorded, "r1", [entry])
    assert [v.version for v in fold(once, "r1", [entry]).job("web").versions] == [1, 0]


def test_a_guard_notices_a_takeover(place: Site) -> None:
    ann, bob = place.open("ann"), place.open("bob")
    _, snapshot = begin(ann, "r1")
    bob.adopt(bob.read(), "r1", "r2")
    guard = Guard(key="web", modify_index=snapshot.recorded.job("web").modify_index)
    with pytest.raises(ConflictError, match="expected index 1, found 2"):
        ann.commit(snapshot, [JobChange(key="web", run="")], message="end", guards=[guard])


def test_a_beat_tells_whether_the_state_has_moved_and_leaves_it(place: Site) -> None:
    ledger = place.open("ann")
    run, begun = begin(ledger, "r1")
    assert not run.beat(begun.head)
    bob = place.open("bob")
    moved = bob.commit(bob.read(), [JobChange(key="db")], message="other", guards=[])
    assert run.beat(begun.head)
    assert ledger.read().head == moved.head
    assert not run.beat(moved.head)
    assert bob.read().head == moved.head
    assert bob.read().runs["r1"].position == 4


def test_a_beat_that_asks_about_what_its_cache_does_not_know_is_one_all_the_same(
    place: Site,
) -> None:
    ledger = place.open("ann")
    run, _ = begin(ledger, "r1")
    bob = place.open("bob")
    moved = bob.commit(bob.read(), [JobChange(key="db")], message="other", guards=[])
    run.beat(moved.head)
    assert bob.read().head == moved.head
    assert bob.read().runs["r1"].position == 2


def test_a_request_leaves_the_index_of_its_job(place: Site) -> None:
    _, begun = begin(place.open("ann"), "r1")
    bob = place.open("bob")
    asked = Request(id="a1", verb=Verb.PAUSE, deployment="d1", by="bob@box", time=7)
    change = JobChange(key="web", requests=(asked,))
    guard = Guard(key="web", modify_index=begun.recorded.job("web").modify_index)
    bob.commit(bob.read(), [change], message="ask", guards=[guard])
    state = place.open("ann").read().recorded.job("web")
    assert state.requests == (asked,)
    assert state.modify_index == begun.recorded.job("web").modify_index
    assert [h.message for h in bob.history("web")] == ["begin"]


def test_who_has_not_heard_of_a_request_does_not_decide(place: Site) -> None:
    ledger = place.open("ann")
    _, begun = begin(ledger, "r1")
    bob = place.open("bob")
    asked = Request(id="a1", verb=Verb.PAUSE, deployment="d1")
    bob.commit(bob.read(), [JobChange(key="web", requests=(asked,))], message="ask", guards=[])
    index = begun.recorded.job("web").modify_index
    release = JobChange(key="web", run="", answers=(Answer(id="a1", time=8),))

    def end(*heard: str) -> Snapshot:
        guard = Guard(key="web", modify_index=index, heard=frozenset(heard))
        return ledger.commit(begun, [release], message="end", guards=[guard])

    with pytest.raises(AskedError) as refused:
        end()
    assert refused.value.requests == {"web": [asked]}
    state = end("a1").recorded.job("web")
    assert (state.run, state.requests, state.answers) == ("", (), release.answers)
