"""Commands on this machine end when they are left, whatever they still say."""

from __future__ import annotations

import asyncio

import pytest

from executors.local import LocalTransport

# They go on for ever, and say more than is read ahead.
_TALKING = ["yes", "yes; :", "yes & yes"]


@pytest.mark.parametrize("text", _TALKING)
async def test_a_pipe_that_nobody_reads_can_be_left(text: str) -> None:
    stream = await LocalTransport().pipe(("sh", "-c", text), deadline=10)
    await asyncio.sleep(0.5)
    await asyncio.wait_for(stream.close(), 60)
