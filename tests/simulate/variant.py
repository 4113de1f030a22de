"""What is built otherwise in a world whose orch has a bug; nothing in one that has none."""

from __future__ import annotations

from dataclasses import dataclass

from executors.sim.disk import Disk
from executors.sim.distant import DistantFleet
from gitops.ledger.simulated import SimulatedCopy
from tests.simulate.audit import AuditedLedger
from tests.simulate.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The parts of a world that a planted bug may replace."""

    ledger: type[AuditedLedger] = AuditedLedger
    copy: type[SimulatedCopy] = SimulatedCopy
    fleet: type[DistantFleet] = DistantFleet
    disk: type[Disk] = Disk
    command: type[Command] = Command
    nonce: bool = True
