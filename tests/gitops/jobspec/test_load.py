"""Many specs at once, specs in JSON, and what the canonical form fills in."""

from __future__ import annotations

import json

import pytest

from gitops.diagnostics import SpecErrors
from gitops.jobspec.features import GROUP, WHY_NOT
from gitops.jobspec.load import load, load_all
from gitops.jobspec.unsupported import unsupported
from gitops.jobspec.variables import Variables
from planner.codec import to_json
from planner.job import SECOND, Constraint
from tests.gitops.jobspec.specs import errors_of, job_of, spec

NONE = Variables()


def test_the_errors_of_all_files_come_together() -> None:
    files = {"a": spec(job="colour = 1"), "b": "job {", "c": spec()}
    with pytest.raises(SpecErrors) as caught:
        load_all(files, NONE)
    assert [d.path for d in caught.value.diagnostics] == ["a", "b"]


def test_one_job_in_two_files_names_both_places() -> None:
    with pytest.raises(SpecErrors) as caught:
        load_all({"a": spec(), "b": "# second\n" + spec()}, NONE)
    (found,) = caught.value.diagnostics
    assert (found.path, found.line, found.column) == ("b", 3, 5)
    assert found.summary == 'The job "j" is defined twice'
    assert "a:2:5" in found.detail


def test_one_id_in_two_namespaces_is_two_jobs() -> None:
    assert len(load_all({"a": spec(), "b": spec(job='namespace = "other"')}, NONE)) == 2


def test_a_job_in_json_is_the_same_job() -> None:
    job = job_of(spec(group="count = 2"))
    bare = json.dumps(to_json(job))
    assert job_of(bare) == job
    assert job_of('{"Job": ' + bare + "}") == job
    least = '{"Job": {"ID": "j", "TaskGroups": [{"Name": "g", "Count": 2,'
    assert job_of(least + ' "Tasks": [{"Name": "t", "Driver": "raw_exec"}]}]}}') == job


JSON_ERRORS = {
    "{": "This spec cannot be read",
    "{}": "The job has no ID",
    '{"Job": []}': "The job has no ID",
    '{"ID": 5}': 'Invalid value of "ID"',
    '{"ID": "a", "TaskGroups": [5]}': 'Invalid value of "TaskGroups[0]"',
    '{"ID": "a", "TaskGroups": [{"Scaling": {"Min": "x"}}]}': (
        'Invalid value of "TaskGroups[0].Scaling.Min"'
    ),
    '{"ID": "a"}': "The job has no group",
}


@pytest.mark.parametrize(("text", "summary"), JSON_ERRORS.items())
def test_wrong_json(text: str, summary: str) -> None:
    assert [d.summary for d in errors_of(text)] == [summary]


def test_blocks_of_the_job_hold_for_its_groups_argument_by_argument() -> None:
    text = spec(
        job="update {\nmax_parallel = 2\ncanary = 1\n}", group="update {\nmax_parallel = 3\n}"
    )
    update = job_of(text).task_groups[0].update
    assert update is not None
    assert (update.max_parallel, update.canary) == (3, 1)


def test_a_task_of_the_job_is_a_group_before_the_others() -> None:
    job = job_of(spec(job='task "solo" {\ndriver = "raw_exec"\n}'))
    assert [(g.name, g.count) for g in job.task_groups] == [("solo", 1), ("g", 1)]
    found = errors_of(spec(job='task "solo" {\n}', group="count = -1"))
    assert [d.line for d in found] == [3, 6]


def test_what_a_group_uses_constrains_its_nodes() -> None:
    text = spec(
        group='service {\nprovider = "nomad"\nname = "${JOB}-${TASKGROUP}"\n}',
        task='kill_signal = "SIGTERM"',
    )
    group = job_of(text).task_groups[0]
    assert group.services[0].name == "j-g"
    assert group.constraints == (
        Constraint(l_target="${attr.nomad.service_discovery}", r_target="true"),
        Constraint(l_target="${attr.os.signals}", r_target="SIGTERM", operand="set_contains"),
    )


def test_free_maps_keep_blocks_as_lists_of_maps() -> None:
    text = spec(
        task='config {\nlabels = { a = "1" }\nlogging {\ntype = "x"\n}\nport_map {\na = 1\n}\n'
        "port_map {\nb = 2.5\n}\n}"
    )
    assert job_of(text).task_groups[0].tasks[0].config == {
        "labels": [{"a": "1"}],
        "logging": [{"type": "x"}],
        "port_map": [{"a": 1}, {"b": 2.5}],
    }


def test_durations_are_nanoseconds() -> None:
    task = job_of(spec(task='kill_timeout = "1m1.5s"\nshutdown_delay = 5')).task_groups[0].tasks[0]
    assert (task.kill_timeout, task.shutdown_delay) == (61 * SECOND + SECOND // 2, 5)


def test_warnings_do_not_refuse() -> None:
    text = spec(task='resources {\nnetwork {\nport "a" {}\n}\n}')
    found = load(text, path="x", variables=NONE).warnings
    assert (9, "warning") in [(d.line, d.severity) for d in found]


UNSUPPORTED = {
    "template": spec(task='template {\ndata = "x"\ndestination = "local/x"\n}'),
    "artifact": spec(task='artifact {\nsource = "http://x"\n}'),
    "network.mode bridge or none of other than docker tasks": spec(
        group='network {\nmode = "bridge"\n}'
    ),
    "network.mode other than host, bridge and none": spec(group='network {\nmode = "cni/x"\n}'),
    "periodic": spec(job='type = "batch"\nperiodic {\ncrons = ["@daily"]\n}'),
    "user": spec(task='user = "nobody"'),
    "vault": spec(task="vault {\n}"),
    "identity": spec(task="identity {\nenv = true\n}"),
    "csi_plugin": spec(task='csi_plugin {\nid = "x"\ntype = "node"\n}'),
    "action": spec(task='action "a" {\ncommand = "x"\n}'),
    "resources.device": spec(task='resources {\ndevice "gpu" {\n}\n}'),
    "resources.numa": spec(task='resources {\nnuma {\naffinity = "none"\n}\n}'),
    "schedule": spec(task='schedule {\ncron {\nstart = "@daily"\n}\n}'),
    "secret": spec(task='secret "s" {\nprovider = "nomad"\npath = "x"\n}'),
    "multiregion": spec(job='multiregion {\nregion "a" {\ncount = 1\n}\n}'),
    "volume": spec(group='volume "v" {\ntype = "host"\nsource = "s"\n}'),
    "service.connect": spec(group="service {\nconnect {\nnative = true\n}\n}"),
    "dispatch_payload": spec(task='dispatch_payload {\nfile = "x"\n}'),
}


@pytest.mark.parametrize(("name", "text"), UNSUPPORTED.items())
def test_what_is_not_honoured_is_read_and_named(name: str, text: str) -> None:
    assert unsupported(job_of(text)) == (name,)


def limits_of(text: str) -> list[tuple[str, bool, int, tuple[int, ...]]]:
    found = load(text, path="x", variables=NONE).limits
    return [(x.name, bool(x.part), x.place.line, x.lines) for x in found]


def test_limits_are_told_with_their_places() -> None:
    service = 'service {\nname = "s"\nport = "80"\n}\n'
    text = spec(
        group=service
        + 'disconnect {\nstop_on_client_after = "1m"\n}\n'
        + service.replace('"s"', '"t"')
    )

    assert limits_of(text) == [
        ("service of the provider consul", True, 5, (12,)),
        ("disconnect.stop_on_client_after", False, 10, ()),
    ]


def test_what_is_not_honoured_by_design_says_why() -> None:
    text = spec(group='disconnect {\nstop_on_client_after = "1m"\n}\n')
    (limit,) = load(text, path="x", variables=NONE).limits
    assert limit.warning.summary == "disconnect.stop_on_client_after is not honoured"
    assert limit.warning.detail.startswith("A host can't tell silence from trouble")
    assert set(WHY_NOT) <= {f.name for f in GROUP if not f.part}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_each_limit_has_a_place_in_its_spec(name: str) -> None:
    lines = {n: line for n, _, line, _ in limits_of(UNSUPPORTED[name])}

    assert lines[name] > 1


def test_what_is_honoured_is_not_named() -> None:
    assert unsupported(job_of(spec(group='network {\nport "a" {\nstatic = 80\n}\n}'))) == ()
