"""Marks tell whether a value has changed, and nothing else; they open only where it is known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gitops.jobspec import marks
from gitops.sealing import Sealer, Vault, is_sealed
from planner.codec import to_json
from planner.errors import OrchError
from planner.job import Artifact, Check, Job, Service, Template
from tests.planner.scenes import group, job, task

SECRET = "hunter2-hunter2"
SEALER = Sealer(key="k" * 32, cluster="shop", patterns=("env.*_password", "template.data"))
AUTH = {"command": "x", "auth": [{"username": "bob", "password": SECRET, "tls": True}]}


def _sealed(wanted: Job, sealer: Sealer = SEALER) -> tuple[Job, Vault]:
    found = sealer.sealed(wanted, {})
    return found.job, Vault({wanted.id: found.values})


def _task(**fields: object) -> Job:
    return job(group(tasks=(task(**fields),)))


@pytest.mark.parametrize(
    "wanted",
    [
        _task(config=AUTH),
        _task(config={"command": "x", "deep": {"Secrets": {"a": [SECRET]}}}),
        _task(env={"DB_PASSWORD": SECRET, "A": "b"}),
        _task(env={"AUTH": SECRET}),
        _task(secrets=({"Name": "n", "Provider": "p", "Path": SECRET, "Config": {"a": SECRET}},)),
        _task(templates=(Template(embedded_tmpl=SECRET),)),
        job(group(), meta={"auth": SECRET}),
        job(group(services=(Service(name="s", checks=(Check(header={"auth": [SECRET]}),)),))),
        _task(artifacts=(Artifact(getter_headers={"auth": SECRET}),)),
    ],
)
def test_what_names_say_is_sealed_and_opens_again(wanted: Job) -> None:
    assert SEALER.finds(wanted)
    found, vault = _sealed(wanted)
    text = json.dumps(to_json(found))
    assert SECRET not in text
    assert "(sensitive)" in marks.shown(text)
    assert to_json(vault.opened(found)) == to_json(wanted)
    assert SECRET in vault.words()
    assert SECRET not in repr(vault)


def test_other_values_stay_and_the_job_is_the_same_one() -> None:
    wanted = _task(env={"A": "b"}, config={"command": "x", "auth_soft_fail": True})
    assert not SEALER.finds(wanted)
    assert SEALER.sealed(wanted, {}).job is wanted


def test_equal_values_have_equal_marks_and_others_do_not() -> None:
    one, _ = _sealed(_task(config=AUTH))
    again, _ = _sealed(_task(config=AUTH))
    changed, _ = _sealed(_task(config={**AUTH, "auth": [{"password": "another"}]}))
    assert one == again
    assert one != changed


@pytest.mark.parametrize(
    "other",
    [
        replace(SEALER, key="another"),
        replace(SEALER, key=""),
        replace(SEALER, cluster="another"),
    ],
)
def test_key_and_cluster_go_into_a_mark(other: Sealer) -> None:
    assert _sealed(_task(config=AUTH))[0] != _sealed(_task(config=AUTH), other)[0]


def test_a_mark_of_one_job_means_nothing_in_another() -> None:
    found, vault = _sealed(_task(config=AUTH))
    thief = replace(found, id="thief", name="thief")
    with pytest.raises(OrchError, match="sensitive values"):
        vault.opened(thief)


def test_a_job_of_the_ledger_alone_does_not_open() -> None:
    found, _ = _sealed(_task(config=AUTH))
    with pytest.raises(OrchError, match="recorded as hashes only"):
        Vault().opened(found)


def test_marks_of_an_evaluation_get_keys() -> None:
    numbered = marks.Marks()
    value = str(numbered.of(SECRET))
    found = SEALER.sealed(_task(env={"A": value, "B": f"x{value}y"}), numbered.values)
    text = json.dumps(to_json(found.job))
    assert marks.key_ids(text) == {SEALER.key_id}
    opened = Vault({"web": found.values}).opened(found.job)
    assert opened.task_groups[0].tasks[0].env == {"A": SECRET, "B": f"x{SECRET}y"}


def test_a_check_opens_unless_its_values_are_unknown_or_would_be_seen() -> None:
    check = Check(type="http", header={"auth": [SECRET]})
    found, vault = _sealed(job(group(services=(Service(name="s", checks=(check,)),))))
    (sealed,) = found.task_groups[0].services[0].checks
    assert is_sealed(sealed)
    assert vault.opened_check(found.id, sealed) == check
    assert vault.opened_check("other", check) == check
    for key, locked in (("other", sealed), (found.id, replace(sealed, type="script"))):
        with pytest.raises(OrchError, match="sensitive values"):
            vault.opened_check(key, locked)
