from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.action import Action
from planner.annotate import annotated, updates
from planner.diff import DiffType, JobDiff, ObjectDiff, TaskDiff, TaskGroupDiff, job_diff
from planner.job import (
    Affinity,
    Artifact,
    Check,
    Constraint,
    Identity,
    Job,
    Lifecycle,
    LogConfig,
    Network,
    Port,
    Resources,
    Service,
    Spread,
    Task,
    TaskGroup,
    Template,
    Update,
    VolumeMount,
)
from planner.plan import Change, GroupPlan

# Jobs are large values: a few of them say enough.
SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.sampled_from(["", "a", "b", "c d", "é", "10"])
NAMES = st.sampled_from(["a", "b", "c"])
MAPS = st.dictionaries(NAMES, WORDS, max_size=3)
CONFIG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)
STRINGS = st.lists(NAMES, max_size=3).map(tuple)
CONSTRAINTS = st.lists(st.builds(Constraint, l_target=NAMES, r_target=WORDS), max_size=2).map(tuple)
PORTS = st.lists(st.builds(Port, label=NAMES, to=st.integers(0, 9)), max_size=2).map(tuple)
NETWORKS = st.lists(st.builds(Network, reserved_ports=PORTS, dynamic_ports=PORTS), max_size=1).map(
    tuple
)
CHECKS = st.lists(st.builds(Check, name=NAMES, type=WORDS, args=STRINGS), max_size=2).map(tuple)
SERVICES = st.lists(
    st.builds(Service, name=NAMES, port_label=NAMES, tags=STRINGS, checks=CHECKS), max_size=3
).map(tuple)
TASKS = st.builds(
    Task,
    name=NAMES,
    driver=WORDS,
    env=MAPS,
    config=st.dictionaries(NAMES, CONFIG, max_size=3),
    services=SERVICES,
    templates=st.lists(st.builds(Template, dest_path=NAMES), max_size=2).map(tuple),
    volume_mounts=st.lists(st.builds(VolumeMount, volume=NAMES), max_size=2).map(tuple),
)
GROUPS = st.builds(
    TaskGroup,
    name=NAMES,
    count=st.integers(0, 3),
    tasks=st.lists(TASKS, max_size=2, unique_by=lambda t: t.name).map(tuple),
    networks=NETWORKS,
    services=SERVICES,
    constraints=CONSTRAINTS,
    shutdown_delay=st.none() | st.integers(0, 5),
)
JOBS = st.builds(
    Job,
    id=st.just("job"),
    datacenters=STRINGS,
    meta=MAPS,
    constraints=CONSTRAINTS,
    task_groups=st.lists(GROUPS, max_size=2, unique_by=lambda g: g.name).map(tuple),
)

Node = JobDiff | TaskGroupDiff | TaskDiff | ObjectDiff


def types_of(diff: Node) -> Iterator[DiffType]:
    yield diff.type
    yield from (f.type for f in diff.fields)
    nested: list[Node] = list(diff.objects)
    if isinstance(diff, JobDiff):
        nested += diff.task_groups
    if isinstance(diff, TaskGroupDiff):
        nested += diff.tasks
    for inner in nested:
        yield from types_of(inner)


def mirrored(kind: DiffType) -> DiffType:
    swap = {DiffType.ADDED: DiffType.DELETED, DiffType.DELETED: DiffType.ADDED}
    return swap.get(kind, kind)


@SOME
@given(JOBS)
def test_a_job_does_not_differ_from_itself(job: Job) -> None:
    assert set(types_of(job_diff(job, job))) == {DiffType.NONE}


@SOME
@given(JOBS)
def test_all_of_a_new_job_is_added_and_all_of_a_lost_one_deleted(job: Job) -> None:
    assert set(types_of(job_diff(None, job, contextual=False))) == {DiffType.ADDED}
    assert set(types_of(job_diff(job, None, contextual=False))) == {DiffType.DELETED}


@SOME
@given(JOBS, JOBS)
def test_the_diff_back_is_the_mirror(a: Job, b: Job) -> None:
    there, back = job_diff(a, b, contextual=False), job_diff(b, a, contextual=False)
    assert there.type is mirrored(back.type)
    assert [(f.name, f.old, f.new) for f in there.fields] == [
        (f.name, f.new, f.old) for f in back.fields
    ]


@SOME
@given(JOBS, JOBS)
def test_equal_inputs_give_equal_diffs_and_context_adds_only_unchanged_fields(
    a: Job, b: Job
) -> None:
    assert job_diff(a, b) == job_diff(a, b)
    plain = [t for t in types_of(job_diff(a, b, contextual=False)) if t is not DiffType.NONE]
    full = [t for t in types_of(job_diff(a, b)) if t is not DiffType.NONE]
    assert sorted(plain) == sorted(full)


def test_two_missing_jobs_can_not_be_compared() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        job_diff(None, None)


WISH = Affinity(l_target="x")


def job(group: TaskGroup | None = None, task: Mapping[str, object] | None = None) -> Job:
    made = replace(Task(name="t", driver="docker"), **(task or {}))  # type: ignore[arg-type]
    return Job(id="j", task_groups=(replace(group or TaskGroup(name="g"), tasks=(made,)),))


def task_changes(old: Job, new: Job) -> list[str]:
    (task,) = job_diff(old, new, contextual=False).task_groups[0].tasks
    fields = [f"{f.name}: {f.old} => {f.new}" for f in task.fields]
    return fields + [
        f"{o.type} {o.name} {f.name}: {f.old} => {f.new}" for o in task.objects for f in o.fields
    ]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ({"env": {"A": "1"}}, {"env": {"A": "2", "B": "x"}}, ["Env[A]: 1 => 2", "Env[B]:  => x"]),
        ({"leader": False}, {"leader": True}, ["Leader: false => true"]),
        ({"config": {}}, {"config": {"a": [1, {"b": True}]}}, [
            "Added Config a[0]:  => 1",
            "Added Config a[1][b]:  => true",
        ]),
        ({"config": {"n": 1.0}}, {"config": {"n": 1.5}}, ["Edited Config n: 1 => 1.5"]),
        ({"kill_timeout": 5}, {"kill_timeout": 6}, ["KillTimeout: 5 => 6"]),
        ({}, {"log_config": LogConfig(max_files=3)}, ["Edited LogConfig MaxFiles: 10 => 3"]),
        ({}, {"lifecycle": Lifecycle(hook="prestart")}, []),
        ({"affinities": (WISH,)}, {"affinities": (replace(WISH, weight=9),)}, [
            "Added Affinity LTarget:  => x",
            "Added Affinity Operand:  => =",
            "Added Affinity Weight:  => 9",
            "Deleted Affinity LTarget: x => ",
            "Deleted Affinity Operand: = => ",
            "Deleted Affinity Weight: 50 => ",
        ]),
    ],
)  # fmt: skip
def test_what_a_change_of_a_task_shows(
    old: dict[str, object], new: dict[str, object], shown: list[str]
) -> None:
    assert task_changes(job(task=old), job(task=new)) == shown


def test_optional_values_of_a_group_are_shown_where_they_change() -> None:
    diff = job_diff(job(), job(TaskGroup(name="g", shutdown_delay=7)))
    (field,) = diff.task_groups[0].fields
    assert (field.type, field.name, field.new) == (DiffType.ADDED, "ShutdownDelay", "7")


def test_spread_of_a_job_is_no_difference_and_spread_of_a_group_edits_it() -> None:
    old, spreads = job(), (Spread(attribute="${node.datacenter}"),)
    assert job_diff(old, replace(old, spreads=spreads)).type is DiffType.NONE
    diff = job_diff(job(TaskGroup(name="g")), job(TaskGroup(name="g", spreads=spreads)))
    assert (diff.type, diff.task_groups[0].type) == (DiffType.EDITED, DiffType.EDITED)
    assert (diff.task_groups[0].fields, diff.task_groups[0].objects) == ((), ())


def test_of_several_services_only_the_changed_one_is_listed() -> None:
    a, b = Service(name="a", port_label="x"), Service(name="b", port_label="y")
    (service,) = task_objects(
        job(task={"services": (a, b)}), job(task={"services": (b, replace(a, port_label="z"))})
    )
    assert service.type is DiffType.EDITED


def task_objects(old: Job, new: Job) -> tuple[ObjectDiff, ...]:
    return job_diff(old, new).task_groups[0].tasks[0].objects


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"kill_timeout": 9}, "forces in-place update"),
        ({"services": (Service(name="s"),)}, "forces in-place update"),
        ({"lifecycle": Lifecycle(hook="prestart")}, "forces in-place update"),
        ({"env": {"A": "1"}}, "forces create/destroy update"),
        ({"log_config": LogConfig(max_files=1)}, "forces create/destroy update"),
    ],
)
def test_notes_on_tasks(change: dict[str, object], note: str) -> None:
    diff = annotated(job_diff(job(), job(task=change)), ())
    assert diff.task_groups[0].tasks[0].annotations == (note,)


def test_notes_on_groups_that_come_and_go() -> None:
    new, old = annotated(job_diff(None, job()), ()), annotated(job_diff(job(), None), ())
    assert new.task_groups[0].tasks[0].annotations == ("forces create",)
    assert old.task_groups[0].tasks[0].annotations == ("forces destroy",)


def test_notes_on_counts_and_the_counters_of_a_group() -> None:
    changes = tuple(
        Change(action=a, name="j.g[0]", group="g", reason="")
        for a in (Action.CREATE, Action.CREATE, Action.IGNORE, Action.DESTRUCTIVE)
    )
    plan = GroupPlan(name="g", changes=changes)
    diff = annotated(job_diff(job(), job(TaskGroup(name="g", count=3))), (plan,))
    assert diff.task_groups[0].updates == updates(plan)
    assert updates(plan) == (("create", 2), ("create/destroy update", 1), ("ignore", 1))
    assert diff.task_groups[0].fields[0].annotations == ("forces create",)


def test_a_new_group_of_none_forces_nothing() -> None:
    diff = annotated(job_diff(None, job(TaskGroup(name="g", count=0))), ())
    count = next(f for f in diff.task_groups[0].fields if f.name == "Count")
    assert (count.new, count.annotations) == ("0", ())


def test_a_changed_identity_shows_its_audience_for_context() -> None:
    (identity,) = task_objects(job(), job(task={"identity": Identity(env=True)}))
    assert [(o.type, o.name) for o in identity.objects] == [(DiffType.NONE, "Audience")]


def test_a_set_is_edited_only_if_it_both_gains_and_loses() -> None:
    old = replace(job(), datacenters=("a", "b"))
    kinds = [
        job_diff(old, replace(old, datacenters=new)).objects[0].type
        for new in (("a", "b", "c"), ("b",), ("b", "c"))
    ]
    assert kinds == [DiffType.ADDED, DiffType.DELETED, DiffType.EDITED]


def test_blocks_kept_as_free_data_are_compared_by_their_parts() -> None:
    old = {"vault": {"Role": "a", "Policies": ["p", "q"], "Options": {"x": 1}}}
    new = {"vault": {"Role": "b", "Policies": ["q"], "Options": {"x": 2}}}
    (vault,) = task_objects(job(task=old), job(task=new))
    assert [(f.name, f.old, f.new) for f in vault.fields] == [("Role", "a", "b")]
    assert [(o.name, o.type) for o in vault.objects] == [
        ("Options", DiffType.EDITED),
        ("Policies", DiffType.DELETED),
    ]


def test_devices_are_told_apart_by_their_names() -> None:
    old, new = (
        Resources(
            devices=(
                {"Name": "gpu", "Count": n, "Constraints": [{"LTarget": str(n), "RTarget": "x"}]},
            )
        )
        for n in (1, 2)
    )
    (resources,) = task_objects(job(task={"resources": old}), job(task={"resources": new}))
    (device,) = resources.objects
    assert (device.type, device.name) == (DiffType.EDITED, "Device")
    assert [(o.type, o.name) for o in device.objects] == [
        (DiffType.ADDED, "Constraint"),
        (DiffType.DELETED, "Constraint"),
    ]


def test_an_artifact_to_which_something_only_came_is_added() -> None:
    old = Artifact(getter_source="http://a")
    came = replace(old, getter_headers={"X": "y"})
    for before, after, kind in (
        (old, came, DiffType.ADDED),
        (came, old, DiffType.DELETED),
        (old, replace(came, getter_source="http://b"), DiffType.EDITED),
    ):
        (artifact,) = task_objects(
            job(task={"artifacts": (before,)}), job(task={"artifacts": (after,)})
        )
        assert artifact.type is kind


def test_secrets_are_flattened_and_told_apart_by_their_names() -> None:
    given = {"Name": "db", "Config": {"ns": "a"}, "Env": None}
    old, new = (({**given, "Path": p},) for p in ("x", "y"))
    (secret,) = task_objects(job(task={"secrets": old}), job(task={"secrets": new}))
    assert [f.name for f in secret.fields] == ["Config[ns]", "Name", "Path"]


def test_a_changed_service_shows_its_tags_too() -> None:
    old, new = (Service(name="a", tags=("x",), port_label=p) for p in ("p", "q"))
    (service,) = task_objects(job(task={"services": (old,)}), job(task={"services": (new,)}))
    assert [(o.type, o.name) for o in service.objects] == [(DiffType.NONE, "Tags")]


def test_optional_values_of_a_group_are_told_only_of_groups_on_both_sides() -> None:
    group = TaskGroup(name="h", shutdown_delay=7)
    old = job()
    new = replace(old, task_groups=(*old.task_groups, group))
    _, added = job_diff(old, new).task_groups
    assert "ShutdownDelay" not in [f.name for f in added.fields]


def test_links_are_compared_one_by_one() -> None:
    links = [{"Label": "a", "Url": "x"}, {"Label": "b", "Url": "y"}]
    old = replace(job(), ui={"Description": "d", "Links": links})
    new = replace(job(), ui={"Description": "d", "Links": [links[0], {**links[1], "Url": "z"}]})
    (ui,) = job_diff(old, new).objects
    (link,) = ui.objects
    assert (link.type, link.name) == (DiffType.EDITED, "Link")
    assert [(f.type, f.name) for f in link.fields] == [
        (DiffType.NONE, "Label"),
        (DiffType.EDITED, "Url"),
    ]


def test_arguments_of_cni_are_shown_by_their_names() -> None:
    old, new = (Network(cni={"Args": {"a": v}}) for v in ("1", "2"))
    group = TaskGroup(name="g", networks=(old,))
    before = job(group)
    after = job(replace(group, networks=(new,)))
    added, deleted = job_diff(before, after).task_groups[0].objects
    assert [o.objects[0].name for o in (added, deleted)] == ["CNIConfig", "CNIConfig"]
    assert [o.objects[0].fields[0].name for o in (added, deleted)] == ["a", "a"]


def test_a_csi_plugin_is_not_shown() -> None:
    old, new = (job(task={"csi_plugin_config": {"ID": i}}) for i in ("x", "y"))
    (group,) = job_diff(old, new).task_groups
    (shown,) = group.tasks
    assert (shown.type, shown.fields, shown.objects) == (DiffType.EDITED, (), ())


def test_connect_is_shown_block_by_block() -> None:
    def connect(port: int) -> dict[str, object]:
        upstream = {"DestinationName": "db", "LocalBindPort": port, "Config": {"a": {"b": 1}}}
        return {"SidecarService": {"Port": "p", "Proxy": {"Upstreams": [upstream]}}}

    old, new = (Service(name="a", connect=connect(n)) for n in (1, 2))
    (service,) = task_objects(job(task={"services": (old,)}), job(task={"services": (new,)}))
    names: list[str] = []
    objects = service.objects
    while objects:
        names.append(objects[0].name)
        objects = objects[0].objects
    assert names == ["ConsulConnect", "SidecarService", "ConsulProxy", "ConsulUpstreams", "Config"]


def test_a_block_that_differs_only_in_what_is_hidden_is_not_shown() -> None:
    old, new = (job(TaskGroup(name="g", update=Update(stagger=n))) for n in (1, 2))
    group = job_diff(old, new).task_groups[0]
    assert (group.type, group.objects) == (DiffType.EDITED, ())


def test_numbers_in_a_list_of_a_block_are_a_set() -> None:
    def connected(*ports: int) -> Job:
        proxy = {"TransparentProxy": {"ExcludeOutboundPorts": list(ports)}}
        service = Service(name="s", connect={"SidecarService": {"Proxy": proxy}})
        return Job(id="j", task_groups=(TaskGroup(name="g", services=(service,)),))

    text = repr(job_diff(connected(80, 443), connected(443, 8600)))

    assert "name='ExcludeOutboundPorts', old='80', new=''" in text
    assert "name='ExcludeOutboundPorts', old='', new='8600'" in text
