"""Jobs in JSON: what is parsed from HCL comes back the same; errors name the place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings

from gitops.jobspec.canonical import canonical
from gitops.jobspec.load import parsed
from gitops.jobspec.variables import Variables
from planner.codec import from_json, to_json
from planner.job import Job
from tests.gitops.jobspec.generated import hcl_specs
from tests.gitops.jobspec.specs import errors_of, job_of, spec


def data_of(text: str) -> dict[str, object]:
    return parsed(text, path="x", variables=Variables())


@given(hcl_specs())
@settings(max_examples=40, deadline=None)
def test_a_job_as_json_is_the_same_job(text: str) -> None:
    data = data_of(text)

    assert data_of(json.dumps({"Job": data})) == data
    assert data_of(json.dumps(data, ensure_ascii=False)) == data


@given(hcl_specs())
@settings(max_examples=40, deadline=None)
def test_a_canonical_job_as_json_is_the_same_job(text: str) -> None:
    job = from_json(Job, canonical(data_of(text)))
    assume(job.datacenters)  # none at all is an error that JSON would mend
    again = canonical(data_of(json.dumps(to_json(job))))

    assert to_json(from_json(Job, again)) == to_json(job)


def test_what_is_left_out_is_null() -> None:
    bare = data_of('{"ID": "j", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t"}]}]}')

    assert bare == data_of('job "j" {\ngroup "g" {\ntask "t" {\n}\n}\n}') | {"Name": None}


def test_blocks_in_blocks_stay_as_json_has_them() -> None:
    text = '{"ID": "j", "TaskGroups": [{"Name": "g", "Tasks": [{"Config": {"auth": {"a": 1}}}]}]}'
    groups: Any = data_of(text)["TaskGroups"]

    assert groups[0]["Tasks"][0]["Config"] == {"auth": {"a": 1}}


def found(**group: object) -> list[tuple[int, int, str]]:
    """Errors of a job whose group has more fields, each on a line of its own."""
    tasks = [{"Name": "t", "Driver": "raw_exec"}]
    fields: dict[str, object] = {"Name": "g", **group, "Tasks": tasks}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in fields.items())
    text = f'{{"Job": {{"ID": "j", "TaskGroups": [{{\n{lines}\n}}]}}}}'
    return [(d.line, d.column, d.summary) for d in errors_of(text)]


def test_wrong_fields_are_errors_with_line_and_path() -> None:
    assert found(Cuont=1) == [(3, 1, 'Unknown field "Cuont" in TaskGroups[0]')]
    assert found(Count="1") == [(3, 10, 'Invalid value of "TaskGroups[0].Count"')]
    assert found(Count=True) == [(3, 10, 'Invalid value of "TaskGroups[0].Count"')]
    assert found(Meta={"a": 1}) == [(3, 9, 'Invalid value of "TaskGroups[0].Meta"')]
    assert found(Volumes={"d": 5}) == [(3, 18, 'Invalid value of "TaskGroups[0].Volumes.d"')]
    assert found(ShutdownDelay="5x") == [(3, 18, 'Invalid value of "TaskGroups[0].ShutdownDelay"')]


def test_the_rules_of_jobs_hold_and_point_into_the_json() -> None:
    assert found(Count=-1) == [(3, 10, "Invalid count -1")]
    ports = [{"Label": "a", "Value": 80}, {"Label": "b", "Value": 80}]
    assert found(Networks=[{"ReservedPorts": ports}]) == [
        (3, 62, "The static port 80 is taken"),
    ]
    assert [s for _, _, s in found(EphemeralDisk={"SizeMB": 1})] == [
        "Invalid size 1",
        "The logs are not smaller than the disk",
    ]


def test_a_member_that_is_given_twice_is_an_error() -> None:
    text = '{"ID": "j", "TaskGroups": [],\n "ID": "k"}'

    assert [(d.line, d.summary) for d in errors_of(text)][-1] == (2, '"ID" is given twice')


def test_deep_json_is_refused() -> None:
    text = '{"ID": "j", "Meta": ' + "[" * 60 + "]" * 60 + "}"

    assert [d.summary for d in errors_of(text)] == ["The spec is nested too deeply"]


def test_bookkeeping_of_a_server_is_no_error() -> None:
    text = json.dumps(data_of(spec()) | {"Status": "running", "CreateIndex": 5, "Version": 3})

    assert job_of(text) == job_of(spec())


@pytest.mark.parametrize("mark", ["", "\ufeff", "  \n"])
def test_marks_and_blanks_before_it_do_no_harm(mark: str) -> None:
    found = errors_of(f'{mark}{{"ID": "j",\n"Priority": "x"}}')[0]

    assert (found.line, found.column) == (2 + mark.count("\n"), 13)
