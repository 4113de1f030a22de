"""The shape of each JSON output, by the name of its schema in docs/schema. For tests only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from gitops.view.fleet_shapes import (
    Diagnosis,
    File,
    FileEntry,
    GarbageItem,
    HostEnd,
    HostEnrolment,
    HostKey,
    HostProfile,
    HostReport,
    InventoryHost,
    LedgerCheck,
    LedgerMember,
    LedgerStatus,
    RunMember,
    ServiceInstance,
    ServiceName,
)
from gitops.view.shapes import (
    Allocation,
    AllocationStatus,
    CheckResult,
    Deployment,
    Evaluation,
    FoundJob,
    Inspected,
    Job,
    JobStatus,
    ParsedJob,
    Plan,
    ProgramVersion,
    SupportReport,
    Validation,
    Version,
)
from planner.observed import Node

SHAPES: Mapping[str, Any] = {
    "alloc": AllocationStatus,
    "alloc-list": list[Allocation],
    "check-list": list[CheckResult],
    "diagnosis": Diagnosis,
    "deployment": Deployment,
    "deployment-list": list[Deployment],
    "evaluation": Evaluation,
    "evaluation-list": list[Evaluation],
    "file": File,
    "file-list": list[FileEntry],
    "garbage": list[GarbageItem],
    "history": list[Version],
    "host-check": list[HostReport],
    "host-ends": list[HostEnd],
    "host-profiles": list[HostProfile],
    "host-setup": list[HostEnrolment],
    "host-keys": list[HostKey],
    "host-list": list[InventoryHost],
    "inspect": Inspected,
    "job": JobStatus,
    "job-file": ParsedJob,
    "job-list": list[Job | FoundJob],
    "latest-deployment": Deployment | None,
    "ledger-check": LedgerCheck,
    "ledger-status": LedgerStatus,
    "members": list[LedgerMember | RunMember],
    "node-list": list[Annotated[Any, Node]],
    "plan": Plan,
    "report": SupportReport,
    "service": list[ServiceInstance],
    "service-list": list[ServiceName],
    "validate": Validation,
    "version": ProgramVersion,
}
