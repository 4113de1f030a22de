"""Tables of a task, and of the volumes that its group claims."""

from __future__ import annotations

from typing import cast

from gitops.jobspec.schema.placement import PLACEMENT_ROWS
from gitops.jobspec.schema.policies import RESTART, SCALING
from gitops.jobspec.schema.resources import RESOURCES
from gitops.jobspec.schema.rows import (
    Decoded,
    Row,
    Shape,
    Table,
    argument,
    block,
    blocks,
    duration,
    flag,
    free,
    free_map,
    keyed,
    string,
    strings,
    text_map,
)
from gitops.jobspec.schema.runtime import ARTIFACT, LIFECYCLE, LOGS, TEMPLATE, VOLUME_MOUNT
from gitops.jobspec.schema.service import IDENTITY, SERVICE

VAULT = Table(
    "vault",
    (
        argument("policies", "Policies", strings),
        argument("role", "Role", string, ""),
        argument("namespace", "Namespace", string),
        argument("cluster", "Cluster", string, ""),
        argument("env", "Env", flag, True),
        argument("disable_file", "DisableFile", flag),
        argument("change_mode", "ChangeMode", string, "restart", "noop, signal, restart"),
        argument("change_signal", "ChangeSignal", string),
        argument("allow_token_expiration", "AllowTokenExpiration", flag),
    ),
)

CONSUL = Table(
    "consul",
    (
        argument("namespace", "Namespace", string, ""),
        argument("cluster", "Cluster", string, ""),
        argument("partition", "Partition", string, ""),
    ),
)

SECRET = Table(
    "secret",
    (
        argument("provider", "Provider", string, ""),
        argument("path", "Path", string, ""),
        free_map("config", "Config"),
        text_map("env", "Env"),
    ),
    label="Name",
)

ACTION = Table(
    "action",
    (argument("command", "Command", string, ""), argument("args", "Args", strings)),
    label="Name",
)

CSI_PLUGIN = Table(
    "csi_plugin",
    (
        argument("id", "ID", string, ""),
        argument("type", "Type", string, "", "node, controller, monolith"),
        argument("mount_dir", "MountDir", string, ""),
        argument("stage_publish_base_dir", "StagePublishBaseDir", string, ""),
        argument("health_timeout", "HealthTimeout", duration, 0),
    ),
)

CRON = Table(
    "cron",
    (
        argument("start", "Start", string, ""),
        argument("end", "End", string, ""),
        argument("timezone", "Timezone", string, ""),
    ),
)

SCHEDULE = Table("schedule", (block("cron", "Cron", CRON),))

DISPATCH_PAYLOAD = Table("dispatch_payload", (argument("file", "File", string, ""),))


def _finish_task(found: Decoded) -> None:
    """A nameless identity is the task's own; the others are a list."""
    data = found.data
    given = cast("list[dict[str, object]] | None", data.pop("_identities"))
    own = [i for i in given or () if i["Name"] in ("", "default")]
    data["Identity"] = own[-1] if own else None
    data["Identities"] = None if given is None else [i for i in given if i not in own]
    plugin = data.pop("_csi")
    if plugin is not None:
        data["CSIPluginConfig"] = plugin


TASK = Table(
    "task",
    (
        argument("driver", "Driver", string, "", "needed"),
        argument("user", "User", string, ""),
        block("lifecycle", "Lifecycle", LIFECYCLE),
        Row("config", "Config", free, None, Shape.MAP),
        *PLACEMENT_ROWS,
        text_map("env", "Env"),
        blocks("service", "Services", SERVICE),
        block("resources", "Resources", RESOURCES),
        block("restart", "RestartPolicy", RESTART),
        text_map("meta", "Meta"),
        argument("kill_timeout", "KillTimeout", duration, None, ">= 0"),
        block("logs", "LogConfig", LOGS),
        blocks("artifact", "Artifacts", ARTIFACT),
        block("vault", "Vault", VAULT),
        block("consul", "Consul", CONSUL),
        blocks("template", "Templates", TEMPLATE),
        block("dispatch_payload", "DispatchPayload", DISPATCH_PAYLOAD),
        blocks("volume_mount", "VolumeMounts", VOLUME_MOUNT),
        argument("leader", "Leader", flag, False),
        argument("shutdown_delay", "ShutdownDelay", duration, 0, ">= 0"),
        argument("kill_signal", "KillSignal", string, ""),
        argument("kind", "Kind", string, ""),
        block("csi_plugin", "_csi", CSI_PLUGIN),
        blocks("scaling", "ScalingPolicies", SCALING),
        blocks("secret", "Secrets", SECRET),
        blocks("identity", "_identities", IDENTITY),
        blocks("action", "Actions", ACTION),
        block("schedule", "Schedule", SCHEDULE),
    ),
    label="Name",
    finish=_finish_task,
    stored=(block("identity", "Identity", IDENTITY), blocks("identity", "Identities", IDENTITY)),
    sparse=(block("csi_plugin", "CSIPluginConfig", CSI_PLUGIN),),
)

MOUNT_OPTIONS = Table(
    "mount_options",
    (
        argument("fs_type", "FSType", string, ""),
        argument("mount_flags", "MountFlags", strings),
    ),
)

VOLUME = Table(
    "volume",
    (
        argument("type", "Type", string, "", "host, csi; needed"),
        argument("source", "Source", string, "", "needed"),
        argument("read_only", "ReadOnly", flag, False),
        argument("sticky", "Sticky", flag, False),
        argument(
            "access_mode", "AccessMode", string, "", "single-node-…, multi-node-…; csi: needed"
        ),
        argument("attachment_mode", "AttachmentMode", string, "", "file-system, block-device; csi"),
        block("mount_options", "MountOptions", MOUNT_OPTIONS, "csi"),
        argument("per_alloc", "PerAlloc", flag, False, "not with canaries, sticky, system jobs"),
    ),
    label="Name",
)

VOLUMES = keyed("volume", "Volumes", VOLUME)
