"""Which hosts are taken for the nodes that they say they are."""

from __future__ import annotations

from planner.node_record import NodeRecord
from planner.nodes import to_enrol, verified
from planner.observed import Node, NodeStatus, Observed
from planner.recorded import Recorded
from tests.planner.scenes import node

KNOWN = Recorded(nodes={"a": NodeRecord(id="id-a", name="a")})


def looked(*nodes: Node) -> Observed:
    return verified(Observed(nodes={n.name: n for n in nodes}), KNOWN)


def test_of_two_hosts_with_one_id_neither_is_known() -> None:
    found = looked(node("a"), node("b", id="id-a"))
    assert {n.status for n in found.nodes.values()} == {NodeStatus.UNKNOWN}
    assert "one is a copy" in found.nodes["b"].reason


def test_a_copy_is_told_though_the_other_one_does_not_answer() -> None:
    found = looked(node("a", status=NodeStatus.UNKNOWN, id=""), node("b", id="id-a"))
    assert found.nodes["b"].status is NodeStatus.UNKNOWN
    assert "one is a copy" in found.nodes["b"].reason
    assert not to_enrol(found, KNOWN)


def test_a_host_may_be_given_another_name() -> None:
    found = looked(node("b", id="id-a"))
    assert [n.name for n in to_enrol(found, KNOWN)] == ["b"]


def test_a_stranger_under_a_known_name_is_unknown() -> None:
    assert "but node id-a is on record" in looked(node("a", id="other")).nodes["a"].reason
    assert "wiped, or another machine" in looked(node("a", id="")).nodes["a"].reason
