"""What commands print with -json about hosts, services, files and the ledger, as types.

See `gitops.view.shapes`. Imported for type checks and by tests only.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from executors.findings import Result
from gitops.enrolment import Outcome
from gitops.view.shapes import VersionTag


class HostVolume(TypedDict):
    """A folder of a host that jobs may claim."""

    Path: str
    ReadOnly: bool


class Trust(TypedDict):
    """With what a login is made, and whom it trusts."""

    IdentityFiles: list[str]
    CertificateFiles: list[str]
    IdentitiesOnly: bool
    Agent: bool
    KnownAs: str
    KnownHostsFiles: list[str]


class Jump(Trust):
    """A host on the way to another one."""

    Name: str
    Address: str
    Port: int
    User: str


class SshWay(Trust):
    """How a host is logged in to, over which others."""

    Jumps: list[Jump]
    Notes: list[str]


class HostWay(TypedDict):
    """Where a host is; `SSH` is null where that could not be found out (`Error`)."""

    Address: str
    Port: int
    User: str
    SSH: SshWay | None
    Error: str


class InventoryHost(HostWay):
    """A host as the inventory has it."""

    Name: str
    Become: bool
    Groups: list[str]
    Datacenter: str
    NodeClass: str
    NodePool: str
    Meta: dict[str, str]
    HostVolumes: dict[str, HostVolume]


class HostEnd(TypedDict):
    """How a command, or a copy (it has no `Stdout`), ended on a host."""

    Host: str
    ExitStatus: int | None
    Stdout: NotRequired[str]
    Stderr: str
    Truncated: bool
    Error: str


class Finding(TypedDict):
    """Something that was looked at: whether it is as it should be, and what to do."""

    Name: str
    Result: Result
    Detail: str
    Remedy: str


class DiagnosisSection(TypedDict):
    """What was looked at together."""

    Title: str
    Findings: list[Finding]


class Diagnosis(TypedDict):
    """`doctor`; `Result` is the worst of its findings."""

    Result: Result
    Sections: list[DiagnosisSection]


class TrustedKey(TypedDict):
    """A host key that is trusted, and where that is written."""

    Source: str
    Type: str
    Fingerprint: str


class HostKey(TypedDict):
    """The key that a host, or a host on the way to others, has shown."""

    Host: str
    For: list[str]
    Address: str
    Port: int
    Jumps: list[str]
    State: str
    Type: str
    Fingerprint: str
    Key: str
    Known: list[TrustedKey]
    Written: str
    Error: str


class HostReport(TypedDict):
    """What a host has and lacks; `Result` is the worst of its findings."""

    Host: str
    Reached: bool
    Result: Result
    Findings: list[Finding]


class HostEnrolment(TypedDict):
    """What `host setup` did with a host, or would; `Findings` kept it from being done."""

    Host: str
    Outcome: Outcome
    NodeID: str
    Steps: list[str]
    Findings: list[Finding]


class HostProfile(TypedDict):
    """What several hosts alike have to grant."""

    Hosts: list[str]
    Script: str


class FileEntry(TypedDict):
    """A file or folder of an allocation."""

    Name: str
    IsDir: bool
    Size: int
    FileMode: str
    ModTime: int


class File(FileEntry):
    """One that was asked for by itself."""

    ContentType: str


class GarbageItem(TypedDict):
    """Something that nothing needs any more; `Removed` says whether it has gone."""

    Kind: Literal["allocation", "container", "fence", "run"]
    Host: str
    ID: str
    Job: str
    Name: str
    Reason: str
    Removed: bool


class ServiceName(TypedDict):
    """A service, with the tags of all its instances."""

    ServiceName: str
    Namespace: str
    Tags: list[str]


class ServiceInstance(TypedDict):
    """Where a service runs."""

    ServiceName: str
    Namespace: str
    JobID: str
    AllocID: str
    NodeID: str
    NodeName: str
    Address: str
    Port: int
    Tags: list[str]


class LedgerMember(TypedDict):
    """The ledger among those who decide."""

    Name: str
    Role: Literal["ledger"]
    Status: str
    Index: int


class LedgerEntry(TypedDict):
    """An entry of a journal."""

    Kind: str
    Time: int


class LedgerRun(TypedDict):
    """A run in progress, or one that was interrupted."""

    ID: str
    Holder: str
    Started: int
    Commit: str
    Jobs: list[str]
    Holds: list[str]
    Entries: int
    LastEntry: LedgerEntry | None
    SealedBy: str


class Lock(LedgerRun):
    """`lock status`: a run that holds jobs, or held them; `TTL` is in seconds."""

    Status: str
    TTL: int


class BrokenLock(TypedDict):
    """`lock break`: the run that is ended; of its `Jobs`, which it held, another one may take all.

    `Status` is what it was before; without a journal that is empty, and so is `Holder`.
    """

    ID: str
    Holder: str
    Status: str
    Jobs: list[str]


class Drain(TypedDict):
    """How a node is emptied: times in ns; a `Deadline` of 0 is at once, a negative one never."""

    Deadline: int
    IgnoreSystem: bool
    Started: int


class TaggedVersion(TypedDict):
    """`job tag`: a version, and the name that it has from now on (null: none any more)."""

    JobID: str
    Namespace: str
    Version: int
    Tag: VersionTag | None


class NodeDecision(TypedDict):
    """`node eligibility`, `node drain -disable`: what is decided about a node."""

    ID: str
    Name: str
    Eligible: bool
    Drain: Drain | None


class MovedAllocation(TypedDict):
    """An allocation that has left a node; nothing may have taken its place (null)."""

    ID: str
    Name: str
    JobID: str
    Namespace: str
    ClientStatus: str
    NextAllocation: str | None


class NodeDrain(NodeDecision):
    """`node drain -enable`: what has moved; `Complete` says whether all has that is to."""

    Complete: bool
    Moved: list[MovedAllocation]


class RestartedAllocation(TypedDict):
    """An allocation that began anew, or (`ReplacedBy`) in whose place another one runs."""

    ID: str
    Name: str
    TaskGroup: str
    NodeName: str
    ReplacedBy: str | None


class JobRestart(TypedDict):
    """`job restart`: what began anew, in the order in which it did."""

    JobID: str
    Namespace: str
    Restarted: list[RestartedAllocation]


class _RunMemberOnly(TypedDict):
    Name: str
    Role: Literal["run"]
    Status: str


class RunMember(LedgerRun, _RunMemberOnly):
    """A run among those who decide."""


class LedgerStatus(TypedDict):
    """`ledger status`."""

    Place: str
    Prefix: str
    Cluster: str
    Head: str
    Epoch: int
    Index: int
    Jobs: int
    Nodes: int
    Runs: list[LedgerRun]


class LedgerTrial(TypedDict):
    """One trial of `ledger check`."""

    Name: str
    Result: Literal["ok", "failed", "not tried"]
    Error: str
    Hint: str


class LedgerCheck(TypedDict):
    """`ledger check`."""

    Place: str
    Passed: bool
    Trials: list[LedgerTrial]
