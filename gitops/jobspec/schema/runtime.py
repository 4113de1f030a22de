"""Tables of what a task finds around it: logs, artifacts, templates, mounts, lifecycle."""

from __future__ import annotations

from gitops.jobspec.schema.rows import (
    Table,
    argument,
    block,
    duration,
    flag,
    string,
    strings,
    text_map,
    whole,
)
from planner.job import SECOND

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
        argument("source", "GetterSource", string, None, "needed"),
        text_map("options", "GetterOptions"),
        text_map("headers", "GetterHeaders"),
        argument("mode", "GetterMode", string, None, "any, file, dir"),
        argument("insecure", "GetterInsecure", flag),
        argument("destination", "RelativeDest", string, None, "within the task's directory"),
        argument("chown", "Chown", flag, False),
    ),
)

CHANGE_SCRIPT = Table(
    "change_script",
    (
        argument("command", "Command", string),
        argument("args", "Args", strings, []),
        argument("timeout", "Timeout", duration, 5 * SECOND),
        argument("fail_on_error", "FailOnError", flag, False),
        argument("run_on_first_render", "RunOnFirstRender", flag, False),
    ),
)

WAIT = Table("wait", (argument("min", "Min", duration), argument("max", "Max", duration)))

TEMPLATE = Table(
    "template",
    (
        argument("source", "SourcePath", string, None, "this or data"),
        argument("destination", "DestPath", string, None, "needed; one template each"),
        argument("data", "EmbeddedTmpl", string, None, "this or source"),
        argument("change_mode", "ChangeMode", string, "restart", "restart, noop, signal, script"),
        block("change_script", "ChangeScript", CHANGE_SCRIPT),
        argument("change_signal", "ChangeSignal", string, None, "default of mode signal: SIGHUP"),
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
        argument("volume", "Volume", string, None, "a volume of the group"),
        argument("destination", "Destination", string),
        argument("read_only", "ReadOnly", flag),
        argument(
            "propagation_mode",
            "PropagationMode",
            string,
            None,
            "private, host-to-task, bidirectional",
        ),
        argument("selinux_label", "SELinuxLabel", string, None, "z, Z"),
    ),
)
