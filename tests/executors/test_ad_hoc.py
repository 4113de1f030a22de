"""A command on many hosts leaves no connection behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.ad_hoc import Ran, everywhere
from executors.dev import DevHost
from executors.ssh import SshConnector
from executors.ssh_settings import SshSettings
from executors.transport import HostError, Transport
from inventory.load import load


async def test_the_connection_to_a_host_ends_with_the_command(tmp_path: Path) -> None:
    used: list[Transport] = []
    told: list[Ran] = []

    async def work(transport: Transport) -> Ran:
        used.append(transport)
        done = await transport.run(("echo", "here"))
        return Ran(host=transport.host, exit_status=done.exit_status, stdout=done.stdout)

    async with DevHost(tmp_path) as dev:
        targets = load(dev.inventory.read_text(), path="i.yml").targets
        connector = SshConnector(targets, SshSettings(known_hosts=(), agent=""))
        ends = await everywhere(connector, ["dev"], work, told.append, 1)
        assert [(e.ok, e.stdout) for e in ends] == [(True, b"here\n")]
        assert told == ends
        with pytest.raises(HostError, match="connection lost"):
            await used[0].run(("true",))
        await connector.close()
