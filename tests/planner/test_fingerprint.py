"""The hash of a spec: as the table of what forces a new allocation says, and stable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.fingerprint import spec_hash
from planner.job import Job, RestartPolicy
from planner.update import forcing_change
from tests.planner.scenes import group, job, task
from tests.planner.test_update import FORCING

PLAIN = job(group(tasks=(task(),)))


@pytest.mark.parametrize("changed", [j for j, _ in FORCING])
def test_what_forces_a_new_allocation_changes_the_hash(changed: Job) -> None:
    name = changed.task_groups[0].name
    assert forcing_change(PLAIN, changed, name)
    assert spec_hash(changed, name) != spec_hash(PLAIN, name)


@pytest.mark.parametrize(
    "changed",
    [
        job(group(tasks=(task(restart_policy=RestartPolicy(attempts=7)),))),
        job(group(tasks=(task(kill_timeout=1),))),
        job(group(tasks=(task(),), count=9)),
        replace(PLAIN, priority=80),
    ],
)
def test_what_is_updated_in_place_does_not(changed: Job) -> None:
    assert spec_hash(changed, "api") == spec_hash(PLAIN, "api")


def test_it_does_not_hang_on_the_order_of_maps() -> None:
    one = job(group(tasks=(task(env={"A": "1", "B": "2"}),)))
    two = job(group(tasks=(task(env={"B": "2", "A": "1"}),)))
    assert spec_hash(one, "api") == spec_hash(two, "api")


def test_it_is_the_same_in_every_version_of_orch() -> None:
    assert spec_hash(PLAIN, "api") == "616582c0abd27c363e0b25f73a48dcbf"


def test_a_group_that_is_not_there_has_none() -> None:
    assert spec_hash(PLAIN, "x") == ""
