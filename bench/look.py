"""orch's side of `bench/probe.py`: look at so many loopback hosts, in a process of its own.

`python bench/look.py exec|probe COUNT PORT KEY HOST_KEY`
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from bench.loopback import CLUSTER, CONTAINERS, address
from executors.observe import Observer
from executors.ssh import SshConnector
from executors.ssh_settings import SshSettings
from inventory.model import Host, SshTarget


def hosts(count: int, port: int, key: str, host_key: str) -> list[Host]:
    """Return hosts as an inventory would have them."""
    return [
        Host(
            name=f"h{n}",
            ssh=SshTarget(
                host=f"h{n}",
                address=address(n),
                port=port,
                user="root",
                key_path=key,
                host_keys=(host_key,),
            ),
        )
        for n in range(count)
    ]


async def bare(connector: SshConnector, wanted: Sequence[Host]) -> None:
    """Run `true` everywhere."""

    async def one(name: str) -> None:
        transport = await connector.connect(name)
        done = await transport.run(["true"])
        if done.exit_status:
            raise SystemExit(f"{name}: exit {done.exit_status}")

    await asyncio.gather(*(one(h.name) for h in wanted))


async def probed(connector: SshConnector, wanted: Sequence[Host]) -> None:
    """Probe everywhere, as `plan` and `status` do."""
    observed = await Observer(connector, CLUSTER, hangs_up=True).observe(wanted)
    bad = [n.reason for n in observed.nodes.values() if n.reason]
    if bad or len(observed.nodes) != len(wanted):
        raise SystemExit(f"{len(bad)} hosts failed: {bad[:1]}")
    # sshd gives the same answer for all hosts
    if len(observed.allocs) not in (CONTAINERS, CONTAINERS * len(wanted)):
        raise SystemExit(f"{len(observed.allocs)} allocations were read")


async def main(kind: str, count: int, port: int, key: str, host_key: str) -> None:
    """Connect to all, look, and hang up."""
    wanted = hosts(count, port, key, host_key)
    connector = SshConnector({h.name: h.ssh for h in wanted}, SshSettings(agent=""))
    try:
        await (bare if kind == "exec" else probed)(connector, wanted)
    finally:
        await connector.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]))
