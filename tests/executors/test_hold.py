"""A run that was away for longer than its lease finds out before it touches a host."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from executors.boundary import Boundary
from executors.run import Run
from gitops.ledger.errors import SealedError, UnreachableError
from planner.errors import ConflictError
from planner.job import SECOND
from planner.recorded import JobChange, Recorded
from tests.executors.stories import job
from tests.world import World, node

HOUR = 3600 * SECOND


def away(here: World, boundary: Boundary, act: Callable[[], None]) -> Callable[[Boundary], None]:
    """At that boundary the machine sleeps for two leases, and `act` happens meanwhile."""

    def at(passed: Boundary) -> None:
        if passed is boundary:
            here.clock.nanoseconds += 2 * HOUR
            act()

    return at


def take_over(here: World) -> None:
    ledger = here.ledger()
    snapshot = ledger.read()
    ledger.adopt(snapshot, snapshot.recorded.job("web").run, here.fresh_id(), ())


@pytest.mark.parametrize("boundary", [Boundary.INTENDED, Boundary.FENCED])
def test_whose_jobs_were_taken_does_nothing_though_no_fence_refuses_it(boundary: Boundary) -> None:
    here = World([node("h1"), node("h2")])
    with pytest.raises(SealedError):
        here.apply(job(), at=away(here, boundary, lambda: take_over(here)))
    assert not here.fleet.observed.allocs


def test_whose_jobs_nobody_took_goes_on() -> None:
    here = World([node("h1"), node("h2")])
    result = here.apply(job(), at=away(here, Boundary.INTENDED, lambda: None))
    assert result.exit_code == 0


class CutOff:
    """Stands where the lock of a ledger does that can't be reached any more."""

    def __enter__(self) -> None:
        raise UnreachableError("the ledger can't be reached")

    def __exit__(self, *_: object) -> None:
        pass


def test_who_can_t_ask_does_nothing() -> None:
    here = World([node("h1"), node("h2")])

    def cut_off() -> None:
        here.shelf.lock = CutOff()  # type: ignore[assignment]

    with pytest.raises(ConflictError, match="may be over, and nobody can tell: the ledger can't"):
        here.apply(job(), at=away(here, Boundary.INTENDED, cut_off))
    assert not here.fleet.observed.allocs


class NoJournal:
    """A journal in which nothing is to be written."""

    def append(self, kind: str, changes: Sequence[JobChange], time: int) -> None:
        raise AssertionError(kind)


async def test_after_a_new_look_at_a_host_its_fence_is_raised_again() -> None:
    here = World([node("h1"), node("h2")])
    run = Run(
        id="r",
        recorded=Recorded(),
        observed=here.fleet.observed,
        journal=NoJournal(),
        fleet=here.fleet,
        clock=here.clock,
        ids=here.fresh_id,
        tell=lambda _: None,
    )
    await run.prepare("web", ["h1", "h2"])
    here.fleet.fences.clear()
    run.saw_node(node("h1"))
    await run.prepare("web", ["h1", "h2"])
    assert list(here.fleet.fences) == [("h1", "web")]
