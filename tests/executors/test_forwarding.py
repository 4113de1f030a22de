"""What a host's sshd lets through is told, with what orch does instead."""

from __future__ import annotations

from executors.containers.client import SOCKET
from executors.fake import FakeConnector, FakeHost
from executors.forwarding import Forwarding, forwarding


async def test_a_host_that_forwards() -> None:
    transport = await FakeConnector({"h": FakeHost(sockets={SOCKET: b""})}).connect("h")
    found = await forwarding(transport, docker=True)
    assert found == Forwarding(tcp=True, unix=True)
    assert found.text() == "tcp, unix sockets"


async def test_a_host_that_forbids_it() -> None:
    transport = await FakeConnector({"h": FakeHost(forwards=False)}).connect("h")
    found = await forwarding(transport, docker=True)
    assert found == Forwarding(tcp=False, unix=False)
    assert "no tcp" in found.text()
    assert "no unix sockets" in found.text()


async def test_sockets_are_forbidden_where_dockerd_answers_commands_only() -> None:
    transport = await FakeConnector({"h": FakeHost()}).connect("h")
    assert await forwarding(transport, docker=True) == Forwarding(tcp=True, unix=False)


async def test_without_docker_nothing_is_said_of_sockets() -> None:
    transport = await FakeConnector({"h": FakeHost()}).connect("h")
    assert (await forwarding(transport, docker=False)).text() == "tcp"
