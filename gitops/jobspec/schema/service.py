"""Tables of services, their checks, and identities."""

from __future__ import annotations

from gitops.jobspec.schema.connect import CONNECT
from gitops.jobspec.schema.rows import (
    Row,
    Shape,
    Table,
    argument,
    block,
    blocks,
    duration,
    flag,
    lists_by_name,
    string,
    strings,
    text_map,
    whole,
)

CHECK_RESTART = Table(
    "check_restart",
    (
        argument("limit", "Limit", whole, 0, ">= 0; 0 is off"),
        argument("grace", "Grace", duration),
        argument("ignore_warnings", "IgnoreWarnings", flag, False),
    ),
)

CHECK = Table(
    "check",
    (
        argument("name", "Name", string, ""),
        argument("type", "Type", string, "", "http, tcp (consul: script, grpc too)"),
        argument("command", "Command", string, ""),
        argument("args", "Args", strings),
        argument("path", "Path", string, "", "http: needed"),
        argument("protocol", "Protocol", string, ""),
        argument("port", "PortLabel", string, ""),
        argument("expose", "Expose", flag, False),
        argument("address_mode", "AddressMode", string, ""),
        argument("advertise", "Advertise", string, ""),
        argument("interval", "Interval", duration, 0, ">= 1s"),
        argument("timeout", "Timeout", duration, 0, ">= 1s"),
        argument("initial_status", "InitialStatus", string, "", "passing, warning, critical"),
        argument("notes", "Notes", string, "", "at most 255 characters"),
        argument("tls_server_name", "TLSServerName", string, ""),
        argument("tls_skip_verify", "TLSSkipVerify", flag, False),
        Row("header", "Header", lists_by_name, None, Shape.MAP),
        argument("method", "Method", string, ""),
        argument("grpc_service", "GRPCService", string, ""),
        argument("grpc_use_tls", "GRPCUseTLS", flag, False),
        argument("task", "TaskName", string, ""),
        argument("success_before_passing", "SuccessBeforePassing", whole, 0),
        argument("failures_before_critical", "FailuresBeforeCritical", whole, 0),
        argument("failures_before_warning", "FailuresBeforeWarning", whole, 0),
        argument("body", "Body", string, ""),
        argument("on_update", "OnUpdate", string, ""),
        block("check_restart", "CheckRestart", CHECK_RESTART),
    ),
)

WEIGHTS = Table(
    "weights", (argument("passing", "Passing", whole, 1), argument("warning", "Warning", whole, 1))
)

IDENTITY = Table(
    "identity",
    (
        argument("name", "Name", string, ""),
        argument("aud", "Audience", strings),
        argument("change_mode", "ChangeMode", string, ""),
        argument("change_signal", "ChangeSignal", string, ""),
        argument("env", "Env", flag, False),
        argument("file", "File", flag, False),
        argument("filepath", "Filepath", string, ""),
        argument("service_name", "ServiceName", string, ""),
        argument("ttl", "TTL", duration, 0),
        text_map("extra_claims", "ExtraClaims"),
    ),
)

SERVICE = Table(
    "service",
    (
        argument("name", "Name", string, "", "RFC 1123, at most 63 characters"),
        argument("tags", "Tags", strings),
        argument("canary_tags", "CanaryTags", strings, None, "instead of tags, while a canary"),
        argument("enable_tag_override", "EnableTagOverride", flag, False),
        argument("port", "PortLabel", string, ""),
        argument(
            "address_mode", "AddressMode", string, "", "auto, host; driver, alloc, alloc_ipv6"
        ),
        argument("address", "Address", string, "", "only with address_mode auto"),
        blocks("check", "Checks", CHECK),
        block("check_restart", "CheckRestart", CHECK_RESTART),
        block("connect", "Connect", CONNECT),
        text_map("meta", "Meta"),
        text_map("canary_meta", "CanaryMeta"),
        text_map("tagged_addresses", "TaggedAddresses"),
        argument("task", "TaskName", string, "", "of a group's service"),
        argument("on_update", "OnUpdate", string, "", "require_healthy; ignore_warnings, ignore"),
        block("identity", "Identity", IDENTITY),
        block("weights", "Weights", WEIGHTS),
        argument("provider", "Provider", string, "", "consul, nomad"),
        argument("cluster", "Cluster", string, ""),
        argument("kind", "Kind", string, ""),
    ),
    unread=frozenset({"Id", "Namespace"}),
)
