from __future__ import annotations

import pytest

from gitops.resolve import (
    Kind,
    Match,
    alloc_named,
    deployment_named,
    evaluation_named,
    job_named,
    resolved,
)
from planner.errors import OrchError
from planner.job import Job
from planner.node_record import NodeRecord
from planner.recorded import AllocRecord, Deployment, Evaluation, JobState, JobVersion, Recorded


def state(key: str, *allocs: str) -> JobState:
    version = JobVersion(version=0, index=1, submit_time=1, job=Job(id=key))
    records = tuple(AllocRecord(id=a, name=f"{key}.g[0]", group="g", node="h1") for a in allocs)
    return JobState(key=key, versions=(version,), allocs=records)


SHOP = JobState(
    key="shop",
    versions=state("shop").versions,
    allocs=state("shop", "ab000001", "ab000002", "cd000001").allocs,
    deployments=(Deployment(id="de000001", job_version=0),),
    evaluations=(Evaluation(id="ee000001", triggered_by="job-register"),),
)
RECORDED = Recorded(
    jobs={"shop": SHOP, "shopping": state("shopping"), "gone": JobState(key="gone")},
    nodes={"h1": NodeRecord(id="cd000002", name="h1")},
)


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("shop", Kind.JOB, "shop"),
        ("shopp", Kind.JOB, "shopping"),
        ("ab000001", Kind.ALLOC, "ab000001"),
        ("cd000001", Kind.ALLOC, "cd000001"),
        ("cd000002", Kind.NODE, "h1"),
        ("h1", Kind.NODE, "h1"),
        ("de", Kind.DEPLOYMENT, "de000001"),
        ("ee0", Kind.EVALUATION, "ee000001"),
    ],
)
def test_an_id_of_any_kind(name: str, kind: Kind, found: str) -> None:
    assert resolved(name, RECORDED) == Match(kind=kind, id=found)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nosuch", 'No job(s) with prefix or ID "nosuch" found'),
        ("gone", 'No job(s) with prefix or ID "gone" found'),
        ("sho", 'Prefix "sho" matched multiple jobs\n\nID        Type     Priority'),
        ("ab", 'Prefix "ab" matched multiple allocations\n\n  ab000001\n  ab000002'),
        ("cd", 'Prefix "cd" matched multiple ids\n\nKind        ID\nallocation  cd000001\nnode'),
    ],
)
def test_what_is_not_one_thing(name: str, words: str) -> None:
    with pytest.raises(OrchError) as caught:
        resolved(name, RECORDED)
    assert caught.value.message.startswith(words)


def test_each_kind_has_its_words() -> None:
    with pytest.raises(OrchError, match=r'No allocation\(s\) with prefix or id "deadbeef" found'):
        alloc_named("deadbeef", RECORDED)
    with pytest.raises(OrchError, match="Identifier must contain at least two characters"):
        alloc_named("d", RECORDED)
    with pytest.raises(OrchError, match="matched multiple allocations\n\nID        Job ID"):
        alloc_named("ab", RECORDED)
    with pytest.raises(OrchError, match=r"No deployment\(s\)"):
        deployment_named("00", RECORDED)
    with pytest.raises(OrchError, match=r"No evaluation\(s\)"):
        evaluation_named("00", RECORDED)
    assert job_named("shop", RECORDED) == "shop"
    assert deployment_named("de", RECORDED)[0].key == "shop"
    assert evaluation_named("ee", RECORDED)[1].id == "ee000001"
