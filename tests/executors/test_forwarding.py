"""What a host's sshd lets through is told, with what orch does instead."""

from __future__ import annotations

from executors.fake import FakeConnector, FakeHost
from executors.forwarding import Forwarding, forwarding


async def test_a_host_that_forwards() -> None:
    transport = await FakeConnector({"h": FakeHost()}).connect("h")
    assert await forwarding(transport) == Forwarding()
    assert (await forwarding(transport)).text() == "tcp, unix sockets"


async def test_a_host_that_forbids_it() -> None:
    transport = await FakeConnector({"h": FakeHost(forwards=False)}).connect("h")
    found = await forwarding(transport)
    assert found == Forwarding(tcp=False, unix=False)
    assert "no tcp" in found.text()
    assert "no unix sockets" in found.text()
