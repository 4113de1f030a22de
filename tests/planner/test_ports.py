from __future__ import annotations

from planner.capacity import Ask, Holding, Load
from planner.job import Network, Port, Resources
from planner.ports import NO_DYNAMIC_PORT, PortAsk, asked_ports, assigned, collision
from planner.recorded import PortMapping
from tests.planner.scenes import group, node, task


def load(*taken: int, low: int = 20_000, high: int = 20_003) -> Load:
    here = node(min_dynamic_port=low, max_dynamic_port=high, reserved_ports=frozenset({20_001}))
    made = Load(here, here.reserved_ports)
    made.add(Holding(job="x", group="y", node="a", ask=Ask(), ports=taken))
    return made


def test_ports_of_the_group_and_of_old_style_tasks() -> None:
    web, admin = Port(label="web", value=80), Port(label="admin")
    old = task(resources=Resources(networks=(Network(dynamic_ports=(Port(label="db"),)),)))
    networks = (Network(reserved_ports=(web,), dynamic_ports=(admin,)), Network(mode="bridge"))
    ask = asked_ports(group(networks=networks, tasks=(old,)))
    assert ask == PortAsk(static=(web,), dynamic=(admin, Port(label="db")))


def test_a_static_port_that_is_taken() -> None:
    ask = PortAsk(static=(Port(label="web", value=80),))
    assert collision(ask, load()) == ""
    assert collision(ask, load(80)) == "network: reserved port collision web=80"
    shared = PortAsk(static=(Port(label="web", value=80, ignore_collision=True),))
    assert collision(shared, load(80)) == ""


def test_dynamic_ports_run_out() -> None:
    ask = PortAsk(dynamic=(Port(label="a"), Port(label="b")))
    assert collision(ask, load(20_000)) == ""
    assert collision(ask, load(20_000, 20_002)) == NO_DYNAMIC_PORT
    assert collision(ask, load(low=5, high=4)) == NO_DYNAMIC_PORT


def test_a_static_port_inside_the_dynamic_range() -> None:
    ask = PortAsk(static=(Port(label="s", value=20_000),), dynamic=(Port(label="d"),))
    assert [m.value for m in assigned(ask, load(20_002), "x")] == [20_000, 20_003]
    assert collision(ask, load(20_002, 20_003)) == NO_DYNAMIC_PORT


def test_ports_do_not_depend_on_anything_but_name_and_node() -> None:
    ask = PortAsk(dynamic=(Port(label="a"), Port(label="b")))
    wide = load(low=20_000, high=32_000)
    first = assigned(ask, wide, "web.api[0]")
    assert first == assigned(ask, wide, "web.api[0]")
    assert first != assigned(ask, wide, "web.api[1]")
    assert len({m.value for m in first}) == 2


def test_what_a_mapping_says() -> None:
    ask = PortAsk(static=(Port(label="web", value=80, to=8080), Port(label="db", value=5, to=-1)))
    web, db = assigned(ask, load(), "x")
    assert web == PortMapping(label="web", value=80, to=8080, host_ip="10.0.0.1")
    assert db == PortMapping(label="db", value=5, to=5, host_ip="10.0.0.1")
