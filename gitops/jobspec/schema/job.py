"""Tables of the job itself and of its groups."""

from __future__ import annotations

from typing import cast

from gitops.jobspec.schema import policies as p
from gitops.jobspec.schema.network import NETWORK
from gitops.jobspec.schema.placement import PLACEMENT_ROWS, SPREAD
from gitops.jobspec.schema.rows import (
    Decoded,
    Table,
    argument,
    block,
    blocks,
    duration,
    flag,
    string,
    strings,
    text_map,
    whole,
)
from gitops.jobspec.schema.service import SERVICE
from gitops.jobspec.schema.task import CONSUL, SECRET, TASK, VAULT, VOLUMES

_INHERITED = (block("vault", "_vault", VAULT), blocks("secret", "_secrets", SECRET))


def _inherit(found: Decoded, tasks: list[dict[str, object]]) -> None:
    """Give a block of the group (or job) to the tasks that have none."""
    vault, secrets = found.data.pop("_vault"), found.data.pop("_secrets")
    for task in tasks:
        task["Vault"] = task["Vault"] or vault
        task["Secrets"] = task["Secrets"] or secrets


def _finish_group(found: Decoded) -> None:
    _inherit(found, cast("list[dict[str, object]]", found.data["Tasks"] or []))


GROUP = Table(
    "group",
    (
        argument("count", "Count", whole, None, ">= 0"),
        *PLACEMENT_ROWS,
        blocks("task", "Tasks", TASK, "at least one"),
        blocks("spread", "Spreads", SPREAD),
        VOLUMES,
        block("restart", "RestartPolicy", p.RESTART),
        block("disconnect", "Disconnect", p.DISCONNECT),
        block("reschedule", "ReschedulePolicy", p.RESCHEDULE),
        block("ephemeral_disk", "EphemeralDisk", p.EPHEMERAL_DISK),
        block("update", "Update", p.UPDATE),
        block("migrate", "Migrate", p.MIGRATE),
        blocks("network", "Networks", NETWORK),
        text_map("meta", "Meta"),
        blocks("service", "Services", SERVICE),
        argument("shutdown_delay", "ShutdownDelay", duration, None, ">= 0"),
        argument("max_run_duration", "MaxRunDuration", duration, None, "> 0; batch only"),
        argument("stop_after_client_disconnect", "StopAfterClientDisconnect", duration),
        argument("max_client_disconnect", "MaxClientDisconnect", duration),
        block("scaling", "Scaling", p.SCALING),
        *_INHERITED,
        block("consul", "Consul", CONSUL),
        argument("prevent_reschedule_on_lost", "PreventRescheduleOnLost", flag),
    ),
    label="Name",
    finish=_finish_group,
)

MULTIREGION = Table(
    "multiregion",
    (block("strategy", "Strategy", p.STRATEGY), blocks("region", "Regions", p.REGION)),
)

_UNSET = [
    "Stop",
    "ParentID",
    "DispatchIdempotencyToken",
    "Payload",
    "ConsulNamespace",
    "VaultNamespace",
    "NomadTokenID",
    "Status",
    "StatusDescription",
    "Stable",
    "Version",
    "SubmitTime",
    "CreateIndex",
    "ModifyIndex",
    "JobModifyIndex",
    "VersionTag",
]


def group_of(task: dict[str, object]) -> dict[str, object]:
    """Return the group that a task of the job itself stands for."""
    group: dict[str, object] = {row.field: row.default for row in GROUP.rows}
    group = {k: v for k, v in group.items() if not k.startswith("_")}
    return {**group, "Name": task["Name"], "Count": 1, "Tasks": [task]}


def _finish_job(found: Decoded) -> None:
    data = found.data
    data["Name"] = data["Name"] or data["ID"]
    own = cast("list[dict[str, object]]", data.pop("_tasks") or [])
    groups = [group_of(t) for t in own]
    groups += cast("list[dict[str, object]]", data["TaskGroups"] or [])
    data["TaskGroups"] = groups or None
    tasks = [t for g in groups for t in cast("list[dict[str, object]]", g["Tasks"] or [])]
    _inherit(found, tasks)
    consul = data.pop("_consul")
    for group in groups:
        group["Consul"] = group["Consul"] or consul


JOB = Table(
    "job",
    (
        argument("region", "Region", string),
        argument("namespace", "Namespace", string),
        argument("id", "ID", string, None, "no blanks"),
        argument("name", "Name", string),
        argument("type", "Type", string, None, "service, batch, system, sysbatch"),
        argument("priority", "Priority", whole, None, "1..100"),
        argument("all_at_once", "AllAtOnce", flag),
        argument("datacenters", "Datacenters", strings, None, "patterns"),
        argument("node_pool", "NodePool", string),
        *PLACEMENT_ROWS,
        blocks("group", "TaskGroups", GROUP, "at least one"),
        blocks("task", "_tasks", TASK, "each is a group of its own"),
        block("update", "Update", p.UPDATE),
        block("multiregion", "Multiregion", MULTIREGION),
        blocks("spread", "Spreads", SPREAD),
        block("periodic", "Periodic", p.PERIODIC),
        block("parameterized", "ParameterizedJob", p.PARAMETERIZED),
        block("reschedule", "Reschedule", p.RESCHEDULE),
        block("migrate", "Migrate", p.MIGRATE),
        text_map("meta", "Meta"),
        block("ui", "UI", p.UI),
        *_INHERITED,
        block("consul", "_consul", CONSUL),
    ),
    label="ID",
    constants={**dict.fromkeys(_UNSET), "Dispatched": False},
    finish=_finish_job,
)
