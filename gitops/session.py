"""One command's ties to the world: the ledger and the hosts, opened when needed."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from executors.observe import Observer
from executors.ssh import SshConnector
from executors.ssh_fleet import SshFleet
from gitops.behind import Decisions, ahead
from gitops.ledger.protocol import Ledger
from gitops.ledger_home import ledger_of
from gitops.planning import Look, looked
from gitops.sealing import Vault
from gitops.silence import Silence
from gitops.ssh_setup import connector_of
from gitops.view.names import few
from gitops.workspace import Workspace
from inventory.model import Inventory
from planner.capacity import Algorithm
from planner.observed import NodeStatus
from planner.recorded import Recorded
from planner.update_order import UpdateOrder

_NAMED = 3


@dataclass(slots=True, kw_only=True)
class Session:
    """The real ledger and fleet of a workspace. `now` is the wall clock in ns.

    One that `stays` keeps its connections from look to look. With a `silence` that is kept for
    longer hosts that do not answer are given up in time.
    """

    workspace: Workspace
    inventory: Inventory
    now: Callable[[], int]
    on_host: Callable[[str, NodeStatus], None] | None = None
    stays: bool = False
    silence: Silence | None = None
    connector: SshConnector = field(init=False)
    observer: Observer = field(init=False)
    ledger: Ledger = field(init=False)
    # the records as the last look has found them
    known: Recorded = field(init=False, default_factory=Recorded)

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
        if ahead(snapshot, self._seen()):
            # A run may have got further between the two looks; a ledger that lost decisions stays.
            snapshot = await asyncio.to_thread(self.ledger.read)
            if error := ahead(snapshot, self._seen()):
                raise error
        scheduler = self.workspace.config.scheduler
        look = looked(snapshot, observed, self.now(), Algorithm(scheduler.algorithm))
        look = replace(look, order=UpdateOrder(scheduler.update_order))
        self.known = look.recorded
        if self.silence is None:
            return look
        return replace(look, observed=self.silence.seen(look.observed, look.now))

    def _seen(self) -> Decisions:
        return {name: probe.decisions for name, probe in self.observer.probes.items()}

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
            open_check=vault.opened_check,
        )


def fresh_id() -> str:
    """Draw an id for an allocation, evaluation, deployment, node or run."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
