"""Allocations as text: tables of them, and one with its tasks and events. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops.view.columns import pairs, table
from gitops.view.moment import timestamp
from gitops.view.options import NONE, StatusView, joined
from planner.client import client_description
from planner.job import Task
from planner.observed import ObservedAlloc, TaskState
from planner.recorded import AllocRecord, JobState, PortMapping
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


def alloc_status(
    state: JobState,
    alloc: AllocRecord,
    seen: ObservedAlloc | None,
    view: StatusView,
    found: Statuses,
) -> str:
    """Return one allocation: what it is, its ports, and each task with its latest events."""
    tasks = seen.tasks if seen and seen.tasks else alloc.tasks
    if view.short:
        return joined([pairs(_short(alloc, view)), _tasks(state, alloc, tasks)])
    sections = [pairs(_header(state, alloc, view, found)), _addresses(alloc.ports)]
    for name, task in sorted(tasks.items()):
        sections += _task(name, task, _spec(state, alloc, name))
    return joined(sections)


def _short(alloc: AllocRecord, view: StatusView) -> list[tuple[str, object]]:
    return [
        ("ID", alloc.id),
        ("Name", alloc.name),
        ("Created", view.time(alloc.created)),
        ("Modified", view.time(alloc.modified)),
    ]


def _header(
    state: JobState, alloc: AllocRecord, view: StatusView, found: Statuses
) -> list[tuple[str, object]]:
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
    links = (("Previous Alloc", alloc.previous), ("Replacement Alloc", alloc.next))
    return items + [(name, view.id(other)) for name, other in links if other]


def _addresses(ports: Iterable[PortMapping]) -> list[str]:
    rows = [
        (f"*{p.label}", f"{p.host_ip}:{p.value}" + (f" -> {p.to}" if p.to else "")) for p in ports
    ]
    return ["Allocation Addresses:", *table(("Label", "Address"), rows)] if rows else []


def _spec(state: JobState, alloc: AllocRecord, name: str) -> Task | None:
    version = state.version(alloc.job_version)
    group = version.job.group(alloc.group) if version else None
    return next((t for t in group.tasks if t.name == name), None) if group else None


def _task(name: str, task: TaskState, spec: Task | None) -> list[list[str]]:
    title = f'Task "{name}" is "{task.state}"'
    asked = [title]
    if spec is not None:
        r = spec.resources
        asked += [
            "Task Resources:",
            *table(("CPU", "Memory"), [(f"{r.cpu} MHz", f"{r.memory_mb} MiB")]),
        ]
    times = [
        ("Started At", timestamp(task.started_at)),
        ("Finished At", timestamp(task.finished_at)),
        ("Total Restarts", task.restarts),
        ("Last Restart", timestamp(task.last_restart)),
    ]
    return [asked, ["Task Events:", *pairs(times)], _events(task)]


def _events(task: TaskState) -> list[str]:
    newest = sorted(task.events, key=lambda e: -e.time)[:_EVENTS]
    if not newest:
        return []
    rows = [(timestamp(e.time), e.type, e.message) for e in newest]
    return ["Recent Events:", *table(("Time", "Type", "Description"), rows)]


def _tasks(state: JobState, alloc: AllocRecord, tasks: Mapping[str, TaskState]) -> list[str]:
    rows: list[tuple[object, ...]] = []
    for name, task in sorted(tasks.items()):
        last = max(task.events, key=lambda e: e.time, default=None)
        spec = _spec(state, alloc, name)
        hook = spec.lifecycle.hook if spec and spec.lifecycle else "main"
        event = (last.type, timestamp(last.time)) if last else (NONE, NONE)
        rows.append((name, task.state, *event, hook))
    return ["Tasks", *table(("Name", "State", "Last Event", "Time", "Lifecycle"), rows)]
