"""Allocations as text: tables of them, and one with its tasks and events. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.stats import Usage
from gitops.view.amounts import amount, size
from gitops.view.columns import pairs, table
from gitops.view.live import CheckResult, Live, megahertz
from gitops.view.moment import timestamp
from gitops.view.options import NONE, StatusView, joined
from gitops.view.score_text import score_table
from planner.client import client_description
from planner.health import with_verdict
from planner.job import Task, TaskGroup
from planner.observed import ObservedAlloc, TaskState
from planner.recorded import AllocRecord, ClientStatus, JobState
from planner.reschedule import due_at
from planner.status import Statuses

_EVENTS = 10
_HEALTH = {None: "unset", True: "healthy", False: "unhealthy"}


def alloc_list(allocs: Iterable[AllocRecord], found: Statuses, view: StatusView) -> list[str]:
    """Return a table of allocations, newest first, or the sentence that there are none."""
    newest = sorted(allocs, key=lambda a: (-a.created, -a.created_index, a.name))
    if not newest:
        return ["No allocations placed"]
    header = ["ID", "Node ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified"]
    rows = [_row(a, found, view) for a in newest]
    if view.verbose:
        header[1:2] = ["Eval ID", "Node ID", "Node Name"]
    return table(header, rows)


def _row(alloc: AllocRecord, found: Statuses, view: StatusView) -> list[object]:
    node = view.id(alloc.node_id or alloc.node)
    where = [view.id(alloc.evaluation), node, alloc.node] if view.verbose else [node]
    return [
        view.id(alloc.id),
        *where,
        alloc.group,
        alloc.job_version,
        alloc.desired,
        found.get(alloc.id, alloc.client),
        view.time(alloc.created),
        view.time(alloc.modified),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocCase:
    """One allocation, its job, and what its host and a live look show of it."""

    state: JobState
    alloc: AllocRecord
    seen: ObservedAlloc | None = None
    live: Live = field(default_factory=Live)

    @property
    def tasks(self) -> Mapping[str, TaskState]:
        """The tasks' states, as new as they are known."""
        tasks = self.seen.tasks if self.seen and self.seen.tasks else self.alloc.tasks
        return with_verdict(self.alloc, tasks)

    @property
    def group(self) -> TaskGroup | None:
        """The group's spec in the allocation's version of the job, if it is kept."""
        version = self.state.version(self.alloc.job_version)
        return version.job.group(self.alloc.group) if version else None

    def spec(self, name: str) -> Task | None:
        """The task's spec, if it is kept."""
        return next((t for t in self.group.tasks if t.name == name), None) if self.group else None


def alloc_status(case: AllocCase, view: StatusView, found: Statuses) -> str:
    """Return one allocation: what it is, its ports, and each task with its latest events."""
    if view.short:
        return joined([pairs(_short(case.alloc, view)), _tasks(case)])
    sections = [pairs(_header(case, view, found)), _addresses(case), _checks(case.live.checks)]
    for name, task in sorted(case.tasks.items()):
        sections += _task(case, name, task, view)
    if view.verbose and case.alloc.scores:
        sections.append(["Placement Metrics", *score_table(case.alloc.scores)])
    return joined(sections)


def _short(alloc: AllocRecord, view: StatusView) -> list[tuple[str, object]]:
    return [
        ("ID", alloc.id),
        ("Name", alloc.name),
        ("Created", view.time(alloc.created)),
        ("Modified", view.time(alloc.modified)),
    ]


def _header(case: AllocCase, view: StatusView, found: Statuses) -> list[tuple[str, object]]:
    state, alloc = case.state, case.alloc
    status = found.get(alloc.id, alloc.client)
    recorded = alloc.client_description if status is alloc.client else ""
    version = state.version(alloc.job_version) or state.current
    items: list[tuple[str, object]] = [
        ("ID", alloc.id),
        ("Eval ID", view.id(alloc.evaluation)),
        ("Name", alloc.name),
        ("Node ID", view.id(alloc.node_id)),
        ("Node Name", alloc.node),
        ("Job ID", version.job.id if version else state.key),
        ("Job Version", alloc.job_version),
        ("Client Status", status),
        ("Client Description", recorded or client_description(status)),
        ("Desired Status", alloc.desired),
        ("Desired Description", alloc.desired_description or NONE),
        ("Created", view.time(alloc.created)),
        ("Modified", view.time(alloc.modified)),
    ]
    if alloc.deployment:
        items.append(("Deployment ID", view.id(alloc.deployment)))
        items.append(("Deployment Health", _HEALTH[alloc.healthy]))
    links = (("Previous Alloc ID", alloc.previous), ("Replacement Alloc ID", alloc.next))
    items += [(name, view.id(other)) for name, other in links if other]
    if status is ClientStatus.FAILED and not alloc.next and (due := _due(case)):
        items.append(("Reschedule Eligibility", view.time(due)))
    return items


def _due(case: AllocCase) -> int | None:
    """When a failed allocation may be placed again: an apply does it then."""
    if case.group is None or not case.tasks:
        return None
    record = replace(case.alloc, tasks=case.tasks)
    return due_at(case.state, record, case.group.reschedule_policy)


def _addresses(case: AllocCase) -> list[str]:
    networks = case.group.networks if case.group else ()
    static = {p.label for n in networks for p in n.reserved_ports}
    rows = [
        (
            f"*{p.label}",
            "no" if p.label in static else "yes",
            f"{p.host_ip}:{p.value}" + (f" -> {p.to}" if p.to else ""),
        )
        for p in case.alloc.ports
    ]
    if not rows:
        return []
    mode = next((n.mode for n in networks if n.mode not in ("", "host")), "")
    title = f'Allocation Addresses (mode = "{mode}"):' if mode else "Allocation Addresses:"
    return [title, *table(("Label", "Dynamic", "Address"), rows)]


def _checks(checks: Iterable[CheckResult]) -> list[str]:
    rows = [
        (c.service, c.task or "(group)", c.name, c.mode, "failure" if c.why else "success")
        for c in checks
    ]
    header = ("Service", "Task", "Name", "Mode", "Status")
    return ["Nomad Service Checks:", *table(header, rows)] if rows else []


def check_list(alloc: AllocRecord, checks: Sequence[CheckResult], made: str) -> str:
    """Return each check in full; `made` says when."""
    sections = [[f"Status of {len(checks)} Nomad Service Checks"]]
    for check in checks:
        items = [
            ("Name", check.name),
            ("Group", alloc.name),
            ("Task", check.task or "(group)"),
            ("Service", check.service),
            ("Status", "failure" if check.why else "success"),
            ("Mode", check.mode),
            ("Timestamp", made),
            ("Output", check.why or f"{check.kind} ok"),
        ]
        sections.append([line.replace(" = ", "  =  ", 1) for line in pairs(items)])
    return joined(sections)


def _task(case: AllocCase, name: str, task: TaskState, view: StatusView) -> list[list[str]]:
    asked = [f'Task "{name}" is "{task.state}"', *_resources(case, name)]
    usage = case.live.usage.get(name) if view.stats else None
    times = [
        ("Started At", timestamp(task.started_at)),
        ("Finished At", timestamp(task.finished_at)),
        ("Total Restarts", task.restarts),
        ("Last Restart", timestamp(task.last_restart)),
    ]
    return [asked, *_stats(usage), ["Task Events:", *pairs(times)], _events(task)]


def _resources(case: AllocCase, name: str) -> list[str]:
    spec, used = case.spec(name), case.live.usage.get(name)
    if spec is None or case.group is None:
        return []
    cpu, memory = f"{spec.resources.cpu} MHz", size(spec.resources.memory_mb)
    if used is not None:
        cpu = f"{megahertz(used, case.live.node)}/{cpu}"
        memory = f"{amount(used.memory)}/{memory}"
    row = (cpu, memory, size(case.group.ephemeral_disk.size_mb), "")
    return ["Task Resources:", *table(("CPU", "Memory", "Disk", "Addresses"), [row])]


def _stats(usage: Usage | None) -> list[list[str]]:
    if usage is None:
        return []
    return [
        ["Memory Stats", *table(("RSS",), [(amount(usage.memory),)])],
        ["CPU Stats", *table(("Percent",), [(f"{usage.cores * 100:.2f}%",)])],
    ]


def _events(task: TaskState) -> list[str]:
    # Of those of one instant the later ones come first too.
    newest = sorted(task.events, key=lambda e: e.time)[::-1][:_EVENTS]
    if not newest:
        return []
    rows = [(timestamp(e.time), e.type, e.message) for e in newest]
    return ["Recent Events:", *table(("Time", "Type", "Description"), rows)]


def _tasks(case: AllocCase) -> list[str]:
    rows: list[tuple[object, ...]] = []
    for name, task in sorted(case.tasks.items()):
        last = max(task.events, key=lambda e: e.time, default=None)
        spec = case.spec(name)
        hook = spec.lifecycle.hook if spec and spec.lifecycle else "main"
        event = (last.type, timestamp(last.time)) if last else (NONE, NONE)
        rows.append((name, task.state, *event, hook))
    return ["Tasks", *table(("Name", "State", "Last Event", "Time", "Lifecycle"), rows)]
