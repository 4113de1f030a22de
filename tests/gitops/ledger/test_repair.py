"""Ledgers that lost decisions: what is shown, put back, accepted, or rebuilt."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.ledger.errors import LedgerError, RewoundError
from gitops.ledger.journal import RunInfo
from gitops.ledger.opening import Address, open_repair
from gitops.ledger.ref_ledger import RefLedger
from gitops.ledger.repair import Rebuilt, Repair
from gitops.ledger.surroundings import Surroundings
from planner.errors import ConflictError
from planner.node_record import NodeRecord
from planner.recorded import AllocRecord, Evaluation, JobChange, JobState
from tests.gitops.ledger.conftest import Site, git

STATE = "refs/orch/dev/state"


def change(key: str, n: int = 0) -> JobChange:
    return JobChange(key=key, evaluations=(Evaluation(id=f"e{n}", triggered_by="t"),))


def decide(ledger: RefLedger, key: str, n: int = 0) -> None:
    ledger.commit(ledger.read(), [change(key, n)], message=f"decide {key} {n}", guards=[])


def repair(place: Site, user: str = "ann") -> Repair:
    cache = place.repository.parent / f"cache-{user}"
    around = Surroundings(user=user, host="box")
    return open_repair(Address(url=place.url, cluster="dev", cache=cache), around)


def rewind(place: Site, steps: int) -> None:
    git(place.repository, "update-ref", STATE, f"{STATE}~{steps}")


@pytest.fixture
def decided(git_place: Site) -> Site:
    """Five decisions, seen by ann."""
    ledger = git_place.open("ann")
    for n in range(5):
        decide(ledger, "web", n)
    return git_place


def test_a_sound_ledger_has_nothing_to_repair(decided: Site) -> None:
    found = repair(decided).look()
    assert not found.rewound
    assert not found.problem
    with pytest.raises(LedgerError, match="nothing that could be put back"):
        repair(decided).restore(found)


def test_an_empty_ledger_has_nothing_to_repair(git_place: Site) -> None:
    found = repair(git_place).look()
    assert (found.head, found.rewound, found.problem) == ("", False, "")


def test_lost_decisions_are_shown_and_put_back(decided: Site) -> None:
    before = decided.open("ann").read()
    rewind(decided, 2)
    found = repair(decided).look()
    assert [d.index for d in found.lost] == [5, 4]
    assert found.lost[0].message == "decide web 4"
    assert found.restorable
    repair(decided).restore(found)
    assert decided.open("ann").read() == before


def test_a_loss_that_is_accepted_uses_no_index_twice(decided: Site) -> None:
    rewind(decided, 2)
    ledger = decided.open("ann")
    with pytest.raises(RewoundError):
        ledger.read()
    assert repair(decided).accept(repair(decided).look()) == 6
    snapshot = ledger.read()
    assert (snapshot.recorded.epoch, snapshot.recorded.index) == (2, 6)
    decide(ledger, "web", 9)
    history = list(decided.open("bob").history("web"))
    assert [h.index for h in history] == [7, 3, 2, 1]
    assert not repair(decided).look().rewound


def test_others_who_saw_what_was_lost_go_on_after_it_was_accepted(decided: Site) -> None:
    bob = decided.open("bob")
    bob.read()
    rewind(decided, 2)
    with pytest.raises(RewoundError):
        bob.read()
    repair(decided).accept(repair(decided).look())
    decide(bob, "db")
    decide(decided.open("ann"), "web", 7)
    assert bob.read().recorded.index == 8


def test_a_foreign_line_is_shown_from_where_it_parted(decided: Site) -> None:
    rewind(decided, 3)
    decide(decided.open("eve"), "evil")
    found = repair(decided).look()
    assert [d.index for d in found.lost] == [5, 4, 3]
    assert not found.restorable
    repair(decided).accept(found)
    assert set(decided.open("ann").read().recorded.jobs) == {"web", "evil"}


def test_a_repair_does_not_overrun_a_new_decision(decided: Site) -> None:
    rewind(decided, 2)
    found = repair(decided).look()
    decide(decided.open("eve"), "db")
    with pytest.raises(ConflictError, match="has moved meanwhile"):
        repair(decided).accept(found)


def test_what_is_gone_with_its_objects_is_named(decided: Site) -> None:
    rewind(decided, 2)
    git(decided.repository, "reflog", "expire", "--expire=now", "--all")
    git(decided.repository, "gc", "-q", "--prune=now")
    (cache,) = (decided.repository.parent / "cache-ann").iterdir()
    shutil.rmtree(cache / "objects.git", ignore_errors=True)
    found = repair(decided).look()
    assert found.rewound
    assert not found.restorable
    assert "their objects too" in found.problem


def rebuilt(index: int) -> Mapping[str, JobState]:
    alloc = AllocRecord(id="a1", name="web.g[0]", group="g", node="h1", job_version=3)
    state = JobState(key="web", create_index=index, modify_index=index, allocs=(alloc,))
    return {"web": replace(state, job_modify_index=index)}


KNOWN = Rebuilt(jobs=rebuilt, nodes={"h1": NodeRecord(id="n1", name="h1")}, epoch=1, index=40)


def test_a_lost_ledger_is_rebuilt_above_all_that_was_seen(decided: Site) -> None:
    bob = decided.open("bob")
    bob.read()
    git(decided.repository, "update-ref", "-d", STATE)
    found = repair(decided).look()
    assert [d.index for d in found.lost] == [5, 4, 3, 2, 1]
    assert found.restorable
    assert repair(decided).rebuild(found, KNOWN) == 41
    snapshot = bob.read()
    assert (snapshot.recorded.epoch, snapshot.recorded.index) == (2, 41)
    assert snapshot.recorded.job("web").allocs[0].id == "a1"
    assert snapshot.recorded.nodes["h1"].id == "n1"
    decide(bob, "web", 1)
    assert [h.index for h in bob.history("web")] == [42, 41]


def test_a_rebuild_over_a_readable_ledger_replaces_it_and_keeps_its_past(decided: Site) -> None:
    ledger = decided.open("ann")
    decide(ledger, "gone")
    ledger.open_run(RunInfo(id="r1", holder="ann@box"))
    repair(decided).rebuild(repair(decided).look(), KNOWN)
    snapshot = decided.open("ann").read()
    assert set(snapshot.recorded.jobs) == {"web"}
    assert snapshot.runs == {}
    assert [h.index for h in decided.open("ann").history("web")] == [41, 5, 4, 3, 2, 1]


def test_a_state_that_cannot_be_read_is_rebuilt(decided: Site, tmp_path: Path) -> None:
    other = tmp_path / "w"
    git(tmp_path, "init", "-q", str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "not a ledger")
    git(other, "push", "-q", "-f", str(decided.repository), "HEAD:refs/heads/x")
    git(decided.repository, "update-ref", STATE, "refs/heads/x")
    found = repair(decided).look()
    assert found.problem.startswith("it can't be read")
    assert repair(decided).rebuild(found, KNOWN) == 41
    assert decided.open("bob").read().recorded.index == 41
    assert [h.index for h in decided.open("bob").history("web")] == [41]
