"""How long hosts have not answered counts only while somebody looks."""

from __future__ import annotations

from dataclasses import replace

from gitops.silence import Silence
from planner.job import SECOND
from planner.observed import Node, NodeStatus, Observed
from tests.world import node

NOW = 1_700_000_000 * SECOND


def fleet(*away: str) -> Observed:
    nodes = (node(name) for name in ("a", "b"))
    gone = NodeStatus.UNKNOWN
    return Observed(nodes={n.name: replace(n, status=gone) if n.name in away else n for n in nodes})


def told(silence: Silence, observed: Observed, now: int) -> dict[str, Node]:
    return dict(silence.seen(observed, now).nodes)


def test_a_host_is_silent_since_the_first_look_that_missed_it() -> None:
    clock = [0]
    silence = Silence(grace=60 * SECOND, monotonic=lambda: clock[0])
    assert told(silence, fleet("a"), NOW)["a"].silent_since == NOW
    clock[0] = 30 * SECOND
    # The wall clock was set an hour ahead meanwhile.
    later = NOW + 3630 * SECOND
    a, b = (told(silence, fleet("a"), later)[n] for n in ("a", "b"))
    assert a.silent_since == later - 30 * SECOND
    assert a.lost_at == later + 30 * SECOND
    assert (b.silent_since, b.lost_at) == (0, 0)


def test_one_look_at_which_it_answers_begins_it_anew() -> None:
    clock = [0]
    silence = Silence(monotonic=lambda: clock[0])
    told(silence, fleet("a"), NOW)
    clock[0] = 10 * SECOND
    told(silence, fleet(), NOW + clock[0])
    clock[0] = 20 * SECOND
    again = told(silence, fleet("a"), NOW + clock[0])["a"]
    assert (again.silent_since, again.lost_at) == (NOW + clock[0], 0)
