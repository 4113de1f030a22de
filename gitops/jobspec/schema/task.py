"""Tables of a task: resources, logs, artifacts, templates, lifecycle and what else it holds."""

from __future__ import annotations

from typing import cast

from gitops.jobspec.schema.network import IDENTITY, NETWORK, SERVICE
from gitops.jobspec.schema.placement import AFFINITY, CONSTRAINT, PLACEMENT_ROWS
from gitops.jobspec.schema.policies import RESTART, SCALING
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
    whole,
)
from planner.job import SECOND

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

LOGS = Table(
    "logs",
    (
        argument("max_files", "MaxFiles", whole, None, ">= 1"),
        argument("max_file_size", "MaxFileSizeMB", whole, None, ">= 1 MB"),
        argument("enabled", "Enabled", flag),
        argument("disabled", "Disabled", flag),
    ),
)

LIFECYCLE = Table(
    "lifecycle",
    (
        argument("hook", "Hook", string, "", "prestart, poststart, poststop"),
        argument("sidecar", "Sidecar", flag, False),
    ),
)

ARTIFACT = Table(
    "artifact",
    (
        argument("source", "GetterSource", string),
        text_map("options", "GetterOptions"),
        text_map("headers", "GetterHeaders"),
        argument("mode", "GetterMode", string, None, "any, file, dir"),
        argument("insecure", "GetterInsecure", flag),
        argument("destination", "RelativeDest", string),
        argument("chown", "Chown", flag, False),
    ),
)

CHANGE_SCRIPT = Table(
    "change_script",
    (
        argument("command", "Command", string),
        argument("args", "Args", strings),
        argument("timeout", "Timeout", duration, 5 * SECOND),
        argument("fail_on_error", "FailOnError", flag, False),
        argument("run_on_first_render", "RunOnFirstRender", flag, False),
    ),
)

WAIT = Table("wait", (argument("min", "Min", duration), argument("max", "Max", duration)))


TEMPLATE = Table(
    "template",
    (
        argument("source", "SourcePath", string),
        argument("destination", "DestPath", string),
        argument("data", "EmbeddedTmpl", string),
        argument("change_mode", "ChangeMode", string, "restart", "restart, noop, signal, script"),
        block("change_script", "ChangeScript", CHANGE_SCRIPT),
        argument("change_signal", "ChangeSignal", string),
        argument("once", "Once", flag),
        argument("splay", "Splay", duration, 5 * SECOND),
        argument("perms", "Perms", string, "0644", "octal"),
        argument("uid", "Uid", whole),
        argument("gid", "Gid", whole),
        argument("left_delimiter", "LeftDelim", string),
        argument("right_delimiter", "RightDelim", string),
        argument("env", "Envvars", flag),
        argument("vault_grace", "VaultGrace", duration, None, "deprecated"),
        block("wait", "Wait", WAIT),
        argument("error_on_missing_key", "ErrMissingKey", flag, False),
    ),
)

VOLUME_MOUNT = Table(
    "volume_mount",
    (
        argument("volume", "Volume", string),
        argument("destination", "Destination", string),
        argument("read_only", "ReadOnly", flag),
        argument("propagation_mode", "PropagationMode", string),
        argument("selinux_label", "SELinuxLabel", string),
    ),
)

VAULT = Table(
    "vault",
    (
        argument("policies", "Policies", strings),
        argument("role", "Role", string, ""),
        argument("namespace", "Namespace", string),
        argument("cluster", "Cluster", string, "default"),
        argument("env", "Env", flag, True),
        argument("disable_file", "DisableFile", flag, False),
        argument("change_mode", "ChangeMode", string, "restart"),
        argument("change_signal", "ChangeSignal", string, ""),
        argument("allow_token_expiration", "AllowTokenExpiration", flag, False),
    ),
)

CONSUL = Table(
    "consul",
    (
        argument("namespace", "Namespace", string, ""),
        argument("cluster", "Cluster", string, "default"),
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
        argument("type", "Type", string, "", "host, csi"),
        argument("source", "Source", string, ""),
        argument("read_only", "ReadOnly", flag, False),
        argument("sticky", "Sticky", flag, False),
        argument("access_mode", "AccessMode", string, ""),
        argument("attachment_mode", "AttachmentMode", string, ""),
        block("mount_options", "MountOptions", MOUNT_OPTIONS),
        argument("per_alloc", "PerAlloc", flag, False),
    ),
    label="Name",
)

VOLUMES = keyed("volume", "Volumes", VOLUME)
