"""Jobs drawn at random for properties: small alphabets, so that two of them share a lot."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from planner.job import (
    Action,
    Affinity,
    Artifact,
    Check,
    CheckRestart,
    Constraint,
    Disconnect,
    Dns,
    EphemeralDisk,
    Identity,
    Job,
    LogConfig,
    Network,
    Parameterized,
    Periodic,
    Port,
    ReschedulePolicy,
    Resources,
    Service,
    Spread,
    Task,
    TaskGroup,
    Template,
    Update,
    VolumeMount,
    VolumeRequest,
)

T = TypeVar("T")

WORDS = st.sampled_from(["", "a", "b", 'say "c"', "two\nlines\tand \\", "ünïcode"])
NAMES = st.sampled_from(["x", "y", "z"])
NUMBERS = st.integers(0, 2)
MAPS = st.dictionaries(NAMES, WORDS, max_size=2)
SETS = st.lists(st.sampled_from(["p", "q", "r"]), max_size=2, unique=True).map(tuple)
FREE = st.dictionaries(
    NAMES,
    st.one_of(WORDS, NUMBERS, st.booleans(), st.lists(WORDS, max_size=2), MAPS),
    max_size=2,
)


def few(items: st.SearchStrategy[T], size: int = 2) -> st.SearchStrategy[tuple[T, ...]]:
    """At most that many, in any order, none of them twice."""
    return st.lists(items, max_size=size, unique_by=repr).map(tuple)


def named(
    items: st.SearchStrategy[T], name: str, size: int = 2
) -> st.SearchStrategy[tuple[T, ...]]:
    """At most that many, told apart by one attribute."""
    found = st.lists(items, max_size=size, unique_by=lambda item: str(getattr(item, name)))
    return found.map(tuple)


CONSTRAINTS = few(st.builds(Constraint, l_target=NAMES, r_target=NAMES))
AFFINITIES = few(st.builds(Affinity, l_target=NAMES, weight=st.sampled_from([50, -50])))
PORTS = st.builds(Port, label=NAMES, to=NUMBERS)
NETWORKS = few(
    st.builds(
        Network,
        mode=st.sampled_from(["", "bridge"]),
        dynamic_ports=named(PORTS, "label"),
        dns=st.none() | st.builds(Dns, servers=SETS),
    ),
    1,
)
CHECKS = st.builds(
    Check,
    name=NAMES,
    path=WORDS,
    args=SETS,
    header=st.dictionaries(NAMES, st.lists(WORDS, min_size=1, max_size=2), max_size=1),
    check_restart=st.none() | st.builds(CheckRestart, limit=NUMBERS),
)
SERVICES = few(
    st.builds(
        Service,
        name=NAMES,
        port_label=NAMES,
        tags=SETS,
        canary_tags=SETS,
        checks=named(CHECKS, "name"),
        meta=MAPS,
    )
)
TEMPLATES = st.builds(Template, dest_path=NAMES, embedded_tmpl=WORDS, once=st.booleans())
ARTIFACTS = st.builds(Artifact, relative_dest=NAMES, getter_source=WORDS, getter_options=MAPS)
TASKS = st.builds(
    Task,
    name=NAMES,
    driver=st.sampled_from(["raw_exec", "docker"]),
    user=WORDS,
    config=FREE,
    env=MAPS,
    meta=MAPS,
    constraints=CONSTRAINTS,
    affinities=AFFINITIES,
    services=SERVICES,
    templates=named(TEMPLATES, "dest_path"),
    artifacts=named(ARTIFACTS, "relative_dest"),
    volume_mounts=few(st.builds(VolumeMount, volume=NAMES, read_only=st.booleans())),
    actions=few(st.builds(Action, name=NAMES, args=SETS), 1),
    resources=st.builds(Resources, cpu=NUMBERS, networks=NETWORKS),
    log_config=st.builds(LogConfig, max_files=NUMBERS),
    identity=st.none() | st.builds(Identity, env=st.booleans(), audience=SETS),
    leader=st.booleans(),
)
GROUPS = st.builds(
    TaskGroup,
    name=NAMES,
    count=NUMBERS,
    tasks=named(TASKS, "name"),
    meta=MAPS,
    constraints=CONSTRAINTS,
    spreads=few(st.builds(Spread, attribute=NAMES)),
    networks=NETWORKS,
    services=SERVICES,
    volumes=st.dictionaries(NAMES, st.builds(VolumeRequest, name=NAMES), max_size=2),
    update=st.none() | st.builds(Update, canary=NUMBERS, stagger=NUMBERS),
    reschedule_policy=st.none() | st.builds(ReschedulePolicy, attempts=NUMBERS),
    disconnect=st.none() | st.builds(Disconnect, lost_after=NUMBERS),
    ephemeral_disk=st.builds(EphemeralDisk, size_mb=NUMBERS),
)
JOBS = st.builds(
    Job,
    id=st.just("job"),
    priority=NUMBERS,
    datacenters=SETS,
    meta=MAPS,
    constraints=CONSTRAINTS,
    affinities=AFFINITIES,
    periodic=st.none() | st.builds(Periodic, specs=SETS, time_zone=WORDS),
    parameterized_job=st.none() | st.builds(Parameterized, meta_required=SETS, meta_optional=SETS),
    task_groups=named(GROUPS, "name"),
)
