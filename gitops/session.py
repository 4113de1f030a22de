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
from executors.probe import HostFence
from executors.ssh import SshConnector
from executors.ssh_fleet import SshFleet
from gitops.ledger.errors import RewoundError
from gitops.ledger.protocol import Ledger, Snapshot
from gitops.ledger_home import ledger_of
from gitops.planning import Look, looked
from gitops.sealing import Vault
from gitops.ssh_setup import connector_of
from gitops.view.names import few
from gitops.workspace import Workspace
from inventory.model import Inventory
from planner.capacity import Algorithm
from planner.observed import NodeStatus

_NAMED = 3


@dataclass(slots=True, kw_only=True)
class Session:
    """The real ledger and fleet of a workspace. `now` is the wall clock in ns.

    One that `stays` keeps its connections from look to look.
    """

    workspace: Workspace
    inventory: Inventory
    now: Callable[[], int]
    on_host: Callable[[str, NodeStatus], None] | None = None
    stays: bool = False
    connector: SshConnector = field(init=False)
    observer: Observer = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.connector = connector_of(self.workspace, self.inventory)
        config = self.workspace.config
        self.observer = Observer(
            self.connector,
            config.cluster,
            on_host=self.on_host,
            deadline=config.ssh.probe_timeout,
        )
        self.ledger = ledger_of(self.workspace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.connector.close()

    async def look(self, hosts: Collection[str] | None = None, *, last: bool = False) -> Look:
        """Read the ledger and observe hosts at once; with `hosts`, only those of them.

        A `last` look keeps no connection open: a thousand of them are memory and keepalives.
        """
        self.observer.hangs_up = last and not self.stays
        chosen = [h for h in self.inventory.hosts.values() if hosts is None or h.name in hosts]
        snapshot, observed = await asyncio.gather(
            asyncio.to_thread(self.ledger.read), self.observer.observe(chosen)
        )
        if self._ahead(snapshot):
            # A run may have got further between the two looks; a ledger that lost decisions stays.
            snapshot = await asyncio.to_thread(self.ledger.read)
            if ahead := self._ahead(snapshot):
                raise _behind(snapshot, *ahead)
        algorithm = Algorithm(self.workspace.config.scheduler.algorithm)
        return looked(snapshot, observed, self.now(), algorithm)

    def _ahead(self, snapshot: Snapshot) -> tuple[str, HostFence] | None:
        """Return a host, and what it has seen, that is newer than the ledger."""
        now = (snapshot.recorded.epoch, snapshot.recorded.index)
        seen = ((n, f) for n, p in sorted(self.observer.probes.items()) for f in p.decisions)
        return next((x for x in seen if (x[1].epoch, x[1].index) > now), None)

    def hints(self) -> list[str]:
        """Say what to do about hosts that failed; the same advice once, with who it is for."""
        hosts: dict[str, list[str]] = {}
        for name, error in sorted(self.observer.errors.items()):
            if error.hint:
                hosts.setdefault(error.hint, []).append(name)
        return [f"{few(names, _NAMED)}: {hint}" for hint, names in hosts.items()]

    def fleet(
        self,
        epoch: int,
        commit: str,
        vault: Vault,
        tell: Callable[[str], None] = lambda _: None,
    ) -> SshFleet:
        """Return the effects on the hosts that were observed.

        `vault` has the sensitive values of what is to be started; `tell` hears of image pulls.
        """
        return SshFleet(
            connector=self.connector,
            cluster=self.workspace.config.cluster,
            hosts=self.inventory.hosts,
            probes=self.observer.probes,
            epoch=epoch,
            commit=commit,
            tell=tell,
            open_job=vault.opened,
        )


def _behind(snapshot: Snapshot, host: str, fence: HostFence) -> RewoundError:
    recorded = snapshot.recorded
    found = f"index {recorded.index} (epoch {recorded.epoch})" if snapshot.head else "empty"
    return RewoundError(
        f"the ledger is {found}, but {host} has seen index {fence.index} (epoch {fence.epoch})"
        " of it: decisions were lost, or this is another ledger",
        "nothing is written until that is settled; if the ledger is the right one:\n"
        "  orch ledger repair     where it was used lately: puts back what was lost\n"
        "  orch ledger rebuild    writes a new one from what the hosts know",
    )


def fresh_id() -> str:
    """Draw an id for an allocation, evaluation, deployment, node or run."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
