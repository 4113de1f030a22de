"""What an argument of the job language is when a spec does not say it, as one writes it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gitops.jobspec import defaults as d
from gitops.jobspec.schema import (
    connect,
    network,
    placement,
    policies,
    resources,
    rows,
    runtime,
    service,
    task,
)
from gitops.jobspec.schema import job as job_tables
from gitops.jobspec.schema.rows import Row, Table
from planner.job import HOUR, MINUTE, SECOND

_TYPES = ("service", "batch", "system", "sysbatch")
_WEIGHT = {"Weight": 50, "Operand": "="}

# The defaults of a table, or those by job type where they differ.
_ONE: tuple[tuple[Table, d.Defaults], ...] = (
    (job_tables.JOB, d.JOB),
    (job_tables.GROUP, d.GROUP),
    (policies.DISCONNECT, d.DISCONNECT),
    (policies.EPHEMERAL_DISK, d.EPHEMERAL_DISK),
    (policies.PERIODIC, d.PERIODIC),
    (policies.PARAMETERIZED, {"Payload": "optional"}),
    (policies.SCALING, {"Enabled": True, "Type": "horizontal"}),
    (policies.REGION, {"Count": 1}),
    (placement.CONSTRAINT, _WEIGHT),
    (placement.AFFINITY, _WEIGHT),
    (placement.SPREAD, _WEIGHT),
    (network.NETWORK, d.NETWORK),
    (network.PORT, d.PORT),
    (service.SERVICE, d.SERVICE),
    (service.CHECK, d.CHECK),
    (service.CHECK_RESTART, d.CHECK_RESTART),
    (service.IDENTITY, d.IDENTITY),
    (connect.UPSTREAMS, d.UPSTREAM),
    (connect.SIDECAR_TASK, d.SIDECAR_TASK),
    (connect.GATEWAY_PROXY, d.GATEWAY_PROXY),
    (connect.LISTENER, {"Protocol": "tcp"}),
    (task.TASK, d.TASK),
    (task.VAULT, d.VAULT),
    (task.CONSUL, d.CONSUL),
    (task.CSI_PLUGIN, d.CSI_PLUGIN),
    (resources.RESOURCES, d.RESOURCES),
    (resources.DEVICE, d.DEVICE),
    (resources.NUMA, d.NUMA),
    (runtime.LOGS, d.LOGS),
    (runtime.ARTIFACT, d.ARTIFACT),
    (runtime.TEMPLATE, d.TEMPLATE),
    (runtime.VOLUME_MOUNT, d.VOLUME_MOUNT),
)
_BY_TYPE: tuple[tuple[Table, Mapping[str, d.Defaults]], ...] = (
    (policies.UPDATE, d.UPDATE),
    (policies.RESTART, d.RESTART),
    (policies.RESCHEDULE, d.RESCHEDULE),
    (policies.MIGRATE, d.MIGRATE),
)


def default_text(table: Table, row: Row) -> str:
    """Return the default of a row, or nothing where it is empty; by job type where they differ."""
    for known, by_type in _BY_TYPE:
        if known is table:
            return _by_type(row, by_type)
    for known, found in _ONE:
        if known is table and row.field in found:
            return _ticked(row, found[row.field])
    return _ticked(row, row.default)


def _by_type(row: Row, by_type: Mapping[str, d.Defaults]) -> str:
    texts: dict[str, list[str]] = {}
    for name in _TYPES:
        if name in by_type:
            texts.setdefault(_ticked(row, by_type[name][row.field]), []).append(name)
    if len(texts) == 1:
        return next(iter(texts))
    return "; ".join(f"{', '.join(types)}: {text or 'none'}" for text, types in texts.items())


def _ticked(row: Row, value: object) -> str:
    if row.table is not None or value in (None, "", []):
        return ""
    return f"`{_duration(value) if row.kind is rows.duration else json.dumps(value)}`"


def _duration(value: object) -> str:
    number = int(str(value))
    for unit, size in (("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        if number and number % size == 0:
            return f"{number // size}{unit}"
    return f"{number}s" if not number else f"{number}ns"
