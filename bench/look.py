"""orch's side of `bench/probe.py`: look at so many loopback hosts, in a process of its own.

`python bench/look.py exec|probe|asyncssh COUNT PORT KEY HOST_KEY`: `asyncssh` is what the library
takes for `exec` by itself, which is to connect, log in with the host's key checked, and run `true`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from bench.loopback import CLUSTER, CONTAINERS, address
from executors.ad_hoc import Ran, collected, everywhere
from executors.observe import Observer
from executors.ssh import SshConnector
from executors.ssh_settings import SshSettings
from executors.transport import Bounds
from gitops.main import collect_rarely
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
    """Run `true` everywhere, as `hosts exec` does."""
    names = [h.name for h in wanted]
    ends = await everywhere(connector, names, collected(["true"], Bounds()), _nothing, 32)
    if bad := [end for end in ends if not end.ok]:
        raise SystemExit(f"{len(bad)} hosts failed: {bad[:1]}")


def _nothing(end: Ran) -> None:
    del end


async def probed(connector: SshConnector, wanted: Sequence[Host]) -> None:
    """Probe everywhere, as `plan` and `status` do."""
    observed = await Observer(connector, CLUSTER, hangs_up=True).observe(wanted)
    bad = [n.reason for n in observed.nodes.values() if n.reason]
    if bad or len(observed.nodes) != len(wanted):
        raise SystemExit(f"{len(bad)} hosts failed: {bad[:1]}")
    # sshd gives the same answer for all hosts
    if len(observed.allocs) not in (CONTAINERS, CONTAINERS * len(wanted)):
        raise SystemExit(f"{len(observed.allocs)} allocations were read")


async def alone(wanted: Sequence[Host]) -> None:
    """Run `true` everywhere with the library and nothing else, with one algorithm of each kind."""
    import asyncssh

    targets = [h.ssh for h in wanted]
    keys = asyncssh.load_keypairs([targets[0].key_path])
    host_key = asyncssh.import_public_key(targets[0].host_keys[0])
    logins = asyncio.Semaphore(32)

    async def one(target: SshTarget) -> None:
        async with (
            logins,
            asyncssh.connect(
                target.address,
                target.port,
                config=None,
                username=target.user,
                client_keys=keys,
                agent_path=None,
                known_hosts=([host_key], [], []),
                kex_algs=["curve25519-sha256"],
                encryption_algs=["aes128-gcm@openssh.com"],
                server_host_key_algs=["ssh-ed25519"],
                compression_algs=["none"],
                x509_trusted_cert_paths=[],
                preferred_auth="publickey",
                gss_host=None,
                login_timeout=0,
            ) as connection,
        ):
            await connection.run("true", check=True, encoding=None)

    await asyncio.gather(*map(one, targets))


async def main(kind: str, count: int, port: int, key: str, host_key: str) -> None:
    """Connect to all, look, and hang up."""
    collect_rarely()
    wanted = hosts(count, port, key, host_key)
    if kind == "asyncssh":
        await alone(wanted)
        return
    connector = SshConnector({h.name: h.ssh for h in wanted}, SshSettings(agent=""))
    try:
        await (bare if kind == "exec" else probed)(connector, wanted)
    finally:
        await connector.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]))
