"""A lost host returns: what was replaced is stopped there first, and the rest is taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.errors import OrchError
from planner.job import Constraint, Job, Resources, Task, TaskGroup, Update
from planner.lost import crowded, declared, down, returned
from planner.observed import Node, NodeStatus, Observed
from planner.recorded import ClientStatus, Desired, Recorded
from planner.steps import Stop
from planner.steps import Update as Updated
from tests.world import World, node


def job(name: str, count: int, *constraints: Constraint) -> Job:
    task = Task(name="t", driver="raw_exec", resources=Resources(cpu=100, memory_mb=64))
    group = TaskGroup(
        name="g",
        count=count,
        tasks=(task,),
        constraints=constraints,
        update=Update(min_healthy_time=0),
    )
    return Job(id=name, datacenters=("*",), task_groups=(group,))


WEB = job("web", 2)
PINNED = job("pinned", 1, Constraint(l_target="${node.unique.name}", r_target="h2"))


def unreachable(world: World, name: str) -> None:
    """Nobody sees the host or what runs there."""
    seen = world.fleet.observed
    silent = replace(seen.nodes[name], status=NodeStatus.UNKNOWN, reason="no answer")
    world.fleet.observed = Observed(
        nodes={**seen.nodes, name: silent},
        allocs={i: a for i, a in seen.allocs.items() if a.node != name},
    )
    world.fleet.down.add(name)


def declare(world: World, name: str) -> None:
    look = world.look()
    records = declared(look.observed.nodes, look.recorded, [name], 7)
    world.ledger().commit(look.snapshot, [], records, message="Lost", guards=[])


def test_what_was_replaced_ends_there_before_anything_is_placed() -> None:
    world = World([node("h1"), node("h2")])
    assert world.apply(WEB, PINNED).exit_code == 0
    before = world.fleet.observed
    (old,) = (a.id for a in before.allocs.values() if a.node == "h2" and a.job_id == "web")
    unreachable(world, "h2")
    assert world.apply(WEB, PINNED).exit_code in (0, 4)
    assert {a.node for a in world.look().recorded.job("web").allocs if not a.terminal} == {
        "h1",
        "h2",
    }
    declare(world, "h2")
    world.apply(WEB, PINNED)
    lost = world.look().recorded.job("web").alloc(old)
    assert lost is not None
    assert (lost.desired, bool(lost.next)) == (Desired.STOP, True)
    back = {i: a for i, a in before.allocs.items() if a.node == "h2"}
    world.fleet.down.clear()
    world.fleet.observed = Observed(
        nodes={**world.fleet.observed.nodes, "h2": before.nodes["h2"]},
        allocs={**world.fleet.observed.allocs, **back},
    )
    look = world.look()
    assert crowded(look.observed, look.recorded) == {"h2"}
    assert [r.lost for r in returned(look.observed, look.recorded)] == [0]
    done = len(world.fleet.steps)
    more = replace(WEB, task_groups=(replace(WEB.task_groups[0], count=4),))
    assert world.apply(more, PINNED).exit_code == 0
    there = [s for s in world.fleet.steps[done:] if s.alloc.node == "h2"]
    # What nobody replaced is only recorded as found; what was replaced ends.
    assert {(type(s), s.alloc.job_version, s.alloc.name) for s in there} == {
        (Updated, 0, "pinned.g[0]"),
        (Stop, 0, "web.g[0]"),
    }
    assert old in {s.alloc.id for s in there}
    (pinned,) = (a for a in world.look().recorded.job("pinned").allocs if not a.terminal)
    assert pinned.id in {a.id for a in before.allocs.values()}
    assert pinned.client is ClientStatus.RUNNING
    assert world.plan(more, PINNED).empty


@pytest.mark.parametrize(
    ("nodes", "recorded", "words"),
    [
        ({}, Recorded(), "no such host was enrolled"),
        ({"h": Node(name="h")}, Recorded(), "no such host was enrolled"),
    ],
)
def test_hosts_that_can_not_be_lost(nodes: dict[str, Node], recorded: Recorded, words: str) -> None:
    with pytest.raises(OrchError, match=words):
        declared(nodes, recorded, ["h"], 1)


def test_a_lost_host_counts_as_down_only_while_it_does_not_answer() -> None:
    world = World([node("h1")])
    world.apply(WEB)
    look = world.look()
    with pytest.raises(OrchError, match="it answers"):
        declared(look.observed.nodes, look.recorded, ["h1"], 1)
    unreachable(world, "h1")
    declare(world, "h1")
    assert world.look().observed.nodes["h1"].status is NodeStatus.DOWN
    assert down(Observed(), world.look().recorded) == Observed()
