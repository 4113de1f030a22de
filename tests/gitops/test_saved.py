"""A saved plan is applied exactly, or refused with the name of whatever moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.planning import Look, plan_of
from gitops.request import SpecRequest
from gitops.saved import (
    FORMAT,
    Basis,
    SavedPlan,
    bindings,
    dumped,
    is_saved_plan,
    loaded,
    moved,
    refuse_if_moved,
    saved,
)
from planner.errors import ConflictError, OrchError
from planner.job import Job, Network, Port, Resources, Task, TaskGroup, Update
from planner.observed import NodeStatus, Observed
from planner.plan import Plan
from planner.source import Source
from tests.world import World, node

INVENTORY = "all:\n  hosts:\n    h1: {}\n    h2: {}\n"
SECRET = "hunter2-topsecret"


def job(count: int = 2, command: str = "/bin/a") -> Job:
    return Job(
        id="web",
        meta={"note": SECRET},
        task_groups=(
            TaskGroup(
                name="g",
                count=count,
                update=Update(max_parallel=1, min_healthy_time=1_000_000_000),
                networks=(Network(dynamic_ports=(Port(label="http"),)),),
                tasks=(
                    Task(
                        name="t",
                        driver="raw_exec",
                        config={"command": command, "args": [SECRET]},
                        env={"PASSWORD": SECRET},
                        resources=Resources(cpu=100, memory_mb=64),
                    ),
                ),
            ),
        ),
    )


def world() -> World:
    made = World([node("h1"), node("h2")])
    made.apply(job())
    return made


def plan(here: World, wanted: Job, look: Look, inventory: str = INVENTORY) -> SavedPlan:
    source = Source(repository="r", commit="c0ffee", digest="d1")
    desired = replace(here.desired(wanted), source=source)
    basis = Basis(look=look, inventory=inventory)
    return saved(plan_of(desired, look, "sim"), basis, SpecRequest())


def again(here: World, wanted: Job) -> dict[str, str]:
    look = here.look()
    return dict(plan(here, wanted, look).bound)


def test_nothing_moved() -> None:
    here = world()
    made = plan(here, job(3), here.look())
    here.clock.nanoseconds += 3_600_000_000_000
    assert moved(made, again(here, job(3))) == ()
    refuse_if_moved(made, again(here, job(3)))


def test_the_file_is_the_same_for_the_same_plan_and_reads_back() -> None:
    here = world()
    look = here.look()
    text = dumped(plan(here, job(3), look))
    assert text == dumped(plan(here, job(3), look))
    assert is_saved_plan(text)
    assert loaded(text, "p") == plan(here, job(3), look)


def test_no_value_that_may_be_secret_is_in_the_file() -> None:
    here = world()
    request = SpecRequest(variables=(f"password={SECRET}",), var_files=(SECRET,))
    look = here.look()
    changed = replace(job(), meta={"note": SECRET + "2"})
    desired = here.desired(changed)
    made = plan_of(desired, look, "sim")
    text = dumped(saved(made, Basis(look=look, inventory=INVENTORY, key="k"), request))
    other = dumped(saved(made, Basis(look=look, inventory=INVENTORY, key="l"), request))
    assert loaded(text, "p").bound["the inventory"] != loaded(other, "p").bound["the inventory"]
    assert "topsecret" not in text


def _observed(change: Callable[[Observed], Observed]) -> Callable[[World], None]:
    def act(here: World) -> None:
        here.fleet.observed = change(here.fleet.observed)

    return act


def _node(**changes: object) -> Callable[[World], None]:
    def change(observed: Observed) -> Observed:
        changed = replace(observed.nodes["h1"], **changes)  # type: ignore[arg-type]
        return replace(observed, nodes={**observed.nodes, "h1": changed})

    return _observed(change)


def _gone(observed: Observed) -> Observed:
    first = sorted(observed.allocs)[0]
    return replace(observed, allocs={k: v for k, v in observed.allocs.items() if k != first})


def _stopped(observed: Observed) -> Observed:
    first = sorted(observed.allocs)[0]
    alloc = replace(observed.allocs[first], desired="stop")
    return replace(observed, allocs={**observed.allocs, first: alloc})


def _bar(here: World) -> None:
    ledger = here.ledger()
    snapshot = ledger.read()
    barred = replace(snapshot.recorded.nodes["h1"], eligible=False)
    ledger.commit(snapshot, (), (barred,), message="bar h1", guards=())


def _take_port(here: World) -> None:
    (change,) = [c for c in here.plan(job(3)).jobs[0].changes if c.action == "create"]
    nodes = here.fleet.observed.nodes
    name, port = change.node, change.ports[0].value
    taken = replace(nodes[name], used_ports=nodes[name].used_ports | {port})
    here.fleet.observed = replace(here.fleet.observed, nodes={**nodes, name: taken})


def assert_done(code: int) -> None:
    assert code == 0


KINDS: dict[str, tuple[Callable[[World], None], str]] = {
    "another apply": (lambda w: assert_done(w.apply(job(1)).exit_code), "another apply"),
    "an allocation is gone": (_observed(_gone), "allocation web.g["),
    "an allocation was stopped": (_observed(_stopped), "the host was told to stop"),
    "nobody sees to the tasks": (lambda w: w.restart_host("h1"), "allocation web.g["),
    "a host was replaced": (_node(id="another"), "host h1"),
    "a host is ineligible": (_bar, "host h1"),
    "a host does not answer": (
        _node(status=NodeStatus.UNKNOWN, reason="timed out"),
        "host h1",
    ),
    "a port was taken": (
        _take_port,
        "what job web needs on the hosts",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_moves_in_the_world_is_refused_by_name(kind: str) -> None:
    act, told = KINDS[kind]
    here = world()
    made = plan(here, job(3), here.look())
    act(here)
    with pytest.raises(ConflictError, match="does not hold any more") as error:
        refuse_if_moved(made, again(here, job(3)))
    assert told in error.value.message
    assert error.value.exit_code == 3


@pytest.mark.parametrize(
    ("wanted", "inventory", "told"),
    [
        (job(4), INVENTORY, "the spec of job web"),
        (job(3, "/bin/b"), INVENTORY, "the spec of job web"),
        (job(3), INVENTORY + "# other\n", "the inventory"),
    ],
)
def test_whatever_moves_in_the_files_is_refused_by_name(
    wanted: Job, inventory: str, told: str
) -> None:
    here = world()
    look = here.look()
    made = plan(here, job(3), look)
    now = plan(here, wanted, look, inventory).bound
    assert told in moved(made, now)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_one_binding_that_moves_is_refused(data: st.DataObject) -> None:
    here = world()
    look = here.look()
    made = plan(here, job(3), look)
    name = data.draw(st.sampled_from(sorted(made.bound)))
    now = {**made.bound, name: made.bound[name] + "x"}
    assert moved(made, now) == (name,)
    del now[name]
    assert moved(made, now) == (name,)


def test_an_image_that_moved_is_refused_by_name() -> None:
    here = world()
    look = here.look()
    made = plan_of(here.desired(job(3)), look, "sim")

    def basis(digest: str) -> Basis:
        return Basis(look=look, inventory=INVENTORY, images={"web": {"site:1": digest}})

    old, new = ("site@sha256:" + digit * 64 for digit in "ab")
    kept = saved(made, basis(old), SpecRequest())
    refuse_if_moved(kept, bindings(made, basis(old)))
    for now, told in ((new, new), ("", "not resolvable")):
        with pytest.raises(ConflictError) as error:
            refuse_if_moved(kept, bindings(made, basis(now)))
        assert f"image site:1 of job web: {old} => {told}" in error.value.message


def test_a_damaged_or_newer_file_is_refused_in_words() -> None:
    here = world()
    text = dumped(plan(here, job(3), here.look()))
    with pytest.raises(OrchError, match="damaged"):
        loaded(text[: len(text) // 2], "p")
    newer = text.replace(f'"Format": {FORMAT},\n  "Plan"', f'"Format": {FORMAT + 1},\n  "Plan"')
    newer = (
        newer if newer != text else text.replace(f'"Format": {FORMAT}', f'"Format": {FORMAT + 1}')
    )
    with pytest.raises(OrchError, match=rf"format {FORMAT + 1}|damaged"):
        loaded(newer, "p")


def test_bindings_name_no_volatile_fact() -> None:
    here = world()
    look = here.look()
    first = bindings(Plan(), Basis(look=look, inventory=INVENTORY))
    assert first == bindings(Plan(), Basis(look=here.look(), inventory=INVENTORY))


def test_values_from_outside_of_git_need_a_key() -> None:
    here = world()
    look = here.look()
    request = SpecRequest(variables=("pin=1234",))
    made = plan_of(here.desired(job()), look, "sim")
    with pytest.raises(OrchError, match="without a key"):
        saved(made, Basis(look=look, inventory=INVENTORY), request)
