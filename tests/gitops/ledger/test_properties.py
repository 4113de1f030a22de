"""Any order of writers: nothing is lost, and one job's index is won once."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.ledger.memory import Shelf, memory_ledger
from gitops.ledger.objects import (
    Entry,
    GitObject,
    changed_tree,
    parse_tree,
    tree,
)
from gitops.ledger.protocol import Guard, Snapshot
from gitops.ledger.surroundings import Surroundings
from planner.errors import ConflictError
from planner.recorded import Evaluation, JobChange

WRITERS = 3
# (writer, job, whether it reads first; else it decides on what it has read before)
STEPS = st.lists(
    st.tuples(
        st.integers(0, WRITERS - 1), st.sampled_from(["web", "db", "x/y@n s"]), st.booleans()
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_interleaved_writers_lose_nothing(steps: list[tuple[int, str, bool]]) -> None:
    shelf = Shelf()
    around = Surroundings(user="t", host="m", sleep=lambda _: None)
    ledgers = [memory_ledger(shelf, surroundings=around) for _ in range(WRITERS)]
    read: list[Snapshot] = [ledger.read() for ledger in ledgers]
    won: dict[str, list[str]] = {}
    for n, (writer, key, fresh) in enumerate(steps):
        if fresh:
            read[writer] = ledgers[writer].read()
        expected = read[writer].recorded.job(key).modify_index
        change = JobChange(key=key, evaluations=(Evaluation(id=f"e{n}", triggered_by="t"),))
        current = memory_ledger(shelf).read().recorded.job(key).modify_index
        try:
            read[writer] = ledgers[writer].commit(
                read[writer],
                [change],
                message="x",
                guards=[Guard(key=key, modify_index=expected)],
            )
        except ConflictError:
            assert current != expected
        else:
            assert current == expected
            won.setdefault(key, []).append(f"e{n}")
    last = memory_ledger(shelf).read()
    assert last.recorded.index == sum(map(len, won.values()))
    assert {k: [e.id for e in s.evaluations] for k, s in last.recorded.jobs.items()} == won
    for key, ids in won.items():
        history = list(memory_ledger(shelf).history(key))
        assert len(history) == len(ids)
        assert history[0].state == last.recorded.job(key)


NAMES = st.sampled_from(["a", "a.b", "a-b", "b", "c", "é"])
FILES = st.dictionaries(
    st.lists(NAMES, min_size=2, max_size=2).map(lambda p: f"d{p[0]}/{p[1]}"), st.binary(max_size=9)
)


@given(FILES, FILES)
def test_changing_a_tree_equals_building_it(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    objects: dict[str, bytes] = {}

    def put(root: str, files: dict[str, bytes]) -> str:
        made = changed_tree(root, files, objects.__getitem__)
        objects.update({o.oid: o.data for o in made})
        return made[-1].oid

    assert put(put("", old), new) == put("", old | new)


def test_objects_have_gits_names() -> None:
    assert GitObject("blob", b"hello\n").oid == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert tree({}).oid == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    blob = Entry(hashlib.sha1(b"x", usedforsecurity=False).hexdigest())
    # A directory is ordered as if its name ended in a slash.
    names = list(parse_tree(tree({"a": Entry(blob.oid, True), "a.b": blob, "a0": blob}).data))
    assert names == ["a.b", "a", "a0"]
