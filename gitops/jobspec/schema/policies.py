"""Tables of the policies: update, restart, reschedule, migrate, disconnect and more."""

from __future__ import annotations

from gitops.jobspec.schema.rows import (
    Decoded,
    Table,
    argument,
    blocks,
    duration,
    flag,
    free_map,
    string,
    strings,
    text_map,
    whole,
)

UPDATE = Table(
    "update",
    (
        argument("stagger", "Stagger", duration, None, "> 0"),
        argument("max_parallel", "MaxParallel", whole, None, ">= 0; 0 is all at once"),
        argument("health_check", "HealthCheck", string, None, "checks, task_states, manual"),
        argument("min_healthy_time", "MinHealthyTime", duration, None, "< healthy_deadline"),
        argument("healthy_deadline", "HealthyDeadline", duration, None, "< progress_deadline"),
        argument("progress_deadline", "ProgressDeadline", duration, None, ">= 0"),
        argument("canary", "Canary", whole, None, ">= 0"),
        argument("auto_revert", "AutoRevert", flag),
        argument("auto_promote", "AutoPromote", flag, None, "needs canary > 0"),
    ),
)

RESTART = Table(
    "restart",
    (
        argument("interval", "Interval", duration, None, ">= 5s"),
        argument("attempts", "Attempts", whole, None, "attempts x delay <= interval"),
        argument("delay", "Delay", duration),
        argument("mode", "Mode", string, None, "fail, delay"),
        argument("render_templates", "RenderTemplates", flag),
    ),
)

RESCHEDULE = Table(
    "reschedule",
    (
        argument("attempts", "Attempts", whole, None, "> 0: not unlimited, and within interval"),
        argument("interval", "Interval", duration, None, ">= 15s, if not unlimited"),
        argument("delay", "Delay", duration, None, ">= 5s"),
        argument(
            "delay_function", "DelayFunction", string, None, "constant, exponential, fibonacci"
        ),
        argument("max_delay", "MaxDelay", duration, None, ">= delay, if not constant"),
        argument("unlimited", "Unlimited", flag),
    ),
)

MIGRATE = Table(
    "migrate",
    (
        argument("max_parallel", "MaxParallel", whole, None, ">= 0"),
        argument("health_check", "HealthCheck", string, None, "checks, task_states"),
        argument("min_healthy_time", "MinHealthyTime", duration, None, "<= healthy_deadline"),
        argument("healthy_deadline", "HealthyDeadline", duration),
    ),
)

DISCONNECT = Table(
    "disconnect",
    (
        argument("lost_after", "LostAfter", duration, None, ">= 0"),
        argument("stop_on_client_after", "StopOnClientAfter", duration, None, ">= 0"),
        argument("replace", "Replace", flag),
        argument("reconcile", "Reconcile", string, None, "best_score, longest_running, keep_…"),
    ),
)

EPHEMERAL_DISK = Table(
    "ephemeral_disk",
    (
        argument("sticky", "Sticky", flag),
        argument("migrate", "Migrate", flag),
        argument("size", "SizeMB", whole, None, ">= 10"),
    ),
)


def _finish_scaling(found: Decoded) -> None:
    found.data["Enabled"] = found.data["Enabled"] is not False
    found.data["Type"] = found.data["Type"] or "horizontal"


SCALING = Table(
    "scaling",
    (
        argument("enabled", "Enabled", flag),
        argument("min", "Min", whole, None, "0..count; default: count"),
        argument("max", "Max", whole, None, ">= min"),
        argument("type", "Type", string, ""),
        free_map("policy", "Policy"),
    ),
    label="Type",
    optional_label=True,
    constants={"ID": "", "Namespace": "", "Target": None, "CreateIndex": 0, "ModifyIndex": 0},
    finish=_finish_scaling,
)


def _finish_periodic(found: Decoded) -> None:
    found.data["SpecType"] = "cron"


PERIODIC = Table(
    "periodic",
    (
        argument("enabled", "Enabled", flag),
        argument("cron", "Spec", string, None, "deprecated"),
        argument("crons", "Specs", strings, None, "5 to 7 fields, or @daily and the like"),
        argument("prohibit_overlap", "ProhibitOverlap", flag),
        argument("time_zone", "TimeZone", string, None, "as in Europe/Berlin"),
    ),
    constants={"SpecType": "cron"},
    finish=_finish_periodic,
)

PARAMETERIZED = Table(
    "parameterized",
    (
        argument("payload", "Payload", string, "", "optional, required, forbidden"),
        argument("meta_required", "MetaRequired", strings),
        argument("meta_optional", "MetaOptional", strings),
    ),
)

REGION = Table(
    "region",
    (
        argument("name", "Name", string, ""),
        argument("count", "Count", whole),
        argument("datacenters", "Datacenters", strings),
        argument("node_pool", "NodePool", string, ""),
        text_map("meta", "Meta"),
    ),
    label="Name",
)

STRATEGY = Table(
    "strategy",
    (
        argument("max_parallel", "MaxParallel", whole),
        argument("on_failure", "OnFailure", string),
    ),
)

LINK = Table(
    "link",
    (argument("label", "Label", string, ""), argument("url", "URL", string, "")),
    also={"Url": "URL"},
)

UI = Table(
    "ui",
    (
        argument("description", "Description", string, "", "at most 1000 characters"),
        blocks("link", "Links", LINK),
    ),
)
