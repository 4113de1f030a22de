"""Tables of what a task asks of its node."""

from __future__ import annotations

from gitops.jobspec.schema.network import NETWORK
from gitops.jobspec.schema.placement import AFFINITY, CONSTRAINT
from gitops.jobspec.schema.rows import Table, argument, block, blocks, string, strings, whole

DEVICE = Table(
    "device",
    (
        argument("count", "Count", whole),
        blocks("constraint", "Constraints", CONSTRAINT),
        blocks("affinity", "Affinities", AFFINITY),
    ),
    label="Name",
)

NUMA = Table(
    "numa",
    (
        argument("affinity", "Affinity", string, "", "none, prefer, require"),
        argument("devices", "Devices", strings),
    ),
)

RESOURCES = Table(
    "resources",
    (
        argument("cpu", "CPU", whole, None, ">= 1 MHz"),
        argument("cores", "Cores", whole, None, ">= 0; not with cpu"),
        argument("memory", "MemoryMB", whole, None, ">= 10 MB"),
        argument("memory_max", "MemoryMaxMB", whole, None, "-1 or >= memory"),
        argument("disk", "DiskMB", whole, None, "deprecated"),
        blocks("network", "Networks", NETWORK, "deprecated"),
        blocks("device", "Devices", DEVICE),
        block("numa", "NUMA", NUMA),
        argument("secrets", "SecretsMB", whole, None, "0..memory"),
        argument("iops", "IOPS", whole, None, "deprecated"),
    ),
)
