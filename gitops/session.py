"""One command's ties to the world: the ledger and the hosts, opened when needed."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from executors.observe import Observer
from executors.ssh import SshConnector, SshSettings
from executors.ssh_fleet import SshFleet
from gitops.ledger.opening import open_ledger
from gitops.ledger.protocol import Ledger
from gitops.ledger_home import known_hosts, ledger_address
from gitops.planning import Look, looked
from gitops.workspace import Workspace
from inventory.model import Inventory
from planner.observed import NodeStatus

__all__ = ["Session", "fresh_id", "ledger_address"]

_NAMED = 3


@dataclass(slots=True, kw_only=True)
class Session:
    """The real ledger and fleet of a workspace. `now` is the wall clock in ns."""

    workspace: Workspace
    inventory: Inventory
    now: Callable[[], int]
    on_host: Callable[[str, NodeStatus], None] | None = None
    connector: SshConnector = field(init=False)
    observer: Observer = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        ssh = self.workspace.config.ssh
        settings = SshSettings(
            user=ssh.user,
            known_hosts=known_hosts(ssh.known_hosts),
            jump=ssh.jump,
            concurrency=ssh.concurrency,
            connect_timeout=ssh.connect_timeout,
        )
        self.connector = SshConnector(self.inventory.targets, settings)
        cluster = self.workspace.config.cluster
        self.observer = Observer(
            self.connector, cluster, on_host=self.on_host, deadline=ssh.probe_timeout
        )
        self.ledger = open_ledger(ledger_address(self.workspace))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.connector.close()

    async def look(self, hosts: Collection[str] | None = None) -> Look:
        """Read the ledger and observe hosts at once; with `hosts`, only those of them."""
        chosen = [h for h in self.inventory.hosts.values() if hosts is None or h.name in hosts]
        snapshot, observed = await asyncio.gather(
            asyncio.to_thread(self.ledger.read), self.observer.observe(chosen)
        )
        return looked(snapshot, observed, self.now())

    def hints(self) -> list[str]:
        """Say what to do about hosts that failed; the same advice once, with who it is for."""
        hosts: dict[str, list[str]] = {}
        for name, error in sorted(self.observer.errors.items()):
            if error.hint:
                hosts.setdefault(error.hint, []).append(name)
        return [f"{_few(names)}: {hint}" for hint, names in hosts.items()]

    def fleet(self, epoch: int, commit: str) -> SshFleet:
        """Return the effects on the hosts that were observed."""
        return SshFleet(
            connector=self.connector,
            cluster=self.workspace.config.cluster,
            hosts=self.inventory.hosts,
            probes=self.observer.probes,
            epoch=epoch,
            commit=commit,
        )


def _few(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def fresh_id() -> str:
    """Draw an id for an allocation, evaluation, deployment, node or run."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
