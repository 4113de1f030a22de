"""Virtual time: nothing waits, the order is that of time, and who waits for ever is told."""

from __future__ import annotations

import asyncio

import pytest

from executors.sim.loop import DeadlockError, run_virtually
from executors.sim.turns import EndedError, Turns


def test_sleeps_end_in_the_order_of_their_times() -> None:
    told: list[tuple[float, str]] = []

    async def each(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        told.append((round(asyncio.get_running_loop().time(), 3), name))

    async def main() -> None:
        await asyncio.gather(each("late", 3600), each("soon", 1), each("first", 0.5))

    run_virtually(main())
    assert told == [(0.5, "first"), (1, "soon"), (3600, "late")]


def test_to_wait_for_what_never_comes_is_an_error() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run_virtually(main())


@pytest.mark.parametrize("seconds", [0, 1e-9])
def test_to_go_on_and_on_while_no_time_passes_is_an_error(seconds: float) -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - it is what must not be
            await asyncio.sleep(seconds)

    with pytest.raises(DeadlockError, match="no time passes"):
        run_virtually(main())


def test_blocking_calls_take_turns() -> None:
    told: list[str] = []
    turns = Turns()

    def call(name: str, seconds: float) -> str:
        for n in range(2):
            told.append(f"{name}{n}")
            turns.pause(seconds)
        return name

    async def main() -> list[str]:
        both = asyncio.gather(turns.run(lambda: call("a", 2)), turns.run(lambda: call("b", 1.5)))
        return [*await both]

    assert run_virtually(main()) == ["a", "b"]
    turns.close()
    assert told == ["a0", "b0", "b1", "a1"]


def test_what_a_call_raises_is_raised() -> None:
    turns = Turns()

    def broken() -> None:
        turns.pause(1)
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        run_virtually(turns.run(broken))
    turns.close()


def test_a_call_of_a_process_that_is_gone_ends_where_it_stands() -> None:
    turns = Turns()
    told: list[str] = []
    alive = True

    def call() -> None:
        told.append("begun")
        try:
            turns.pause(5)
        except EndedError:
            told.append("ended")
            raise
        told.append("done")

    async def main() -> None:
        nonlocal alive
        calling = asyncio.ensure_future(turns.run(call, lambda: alive))
        await asyncio.sleep(1)
        alive = False
        with pytest.raises(EndedError):
            await calling

    run_virtually(main())
    turns.close()
    assert told == ["begun", "ended"]
