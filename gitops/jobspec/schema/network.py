"""Tables of networks, ports and services with their checks."""

from __future__ import annotations

from typing import cast

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
    free_map,
    lists_by_name,
    string,
    strings,
    text_map,
    whole,
)

PORT = Table(
    "port",
    (
        argument("static", "Value", whole, 0, "1..65535; not given: one is drawn"),
        argument("to", "To", whole, 0, "-1..65535"),
        argument("host_network", "HostNetwork", string, ""),
        argument("ignore_collision", "IgnoreCollision", flag, False),
    ),
    label="Label",
)

DNS = Table(
    "dns",
    (
        argument("servers", "Servers", strings),
        argument("searches", "Searches", strings),
        argument("options", "Options", strings),
    ),
)

CNI = Table("cni", (text_map("args", "Args"),))


def _finish_network(found: Decoded) -> None:
    data = found.data
    ports = cast("list[dict[str, object]]", data.pop("_ports") or [])
    data["ReservedPorts"] = [p for p in ports if p["Value"]] or None
    data["DynamicPorts"] = [p for p in ports if not p["Value"]] or None


NETWORK = Table(
    "network",
    (
        argument("mode", "Mode", string, "", "host, bridge, none, cni/NAME"),
        argument("device", "Device", string, "", "deprecated"),
        argument("cidr", "CIDR", string, "", "deprecated"),
        argument("ip", "IP", string, "", "deprecated"),
        argument("hostname", "Hostname", string, ""),
        argument("mbits", "MBits", whole, None, "deprecated"),
        block("dns", "DNS", DNS),
        block("cni", "CNI", CNI),
        blocks("port", "_ports", PORT),
    ),
    finish=_finish_network,
    stored=(blocks("port", "ReservedPorts", PORT), blocks("port", "DynamicPorts", PORT)),
)

CHECK_RESTART = Table(
    "check_restart",
    (
        argument("limit", "Limit", whole, 0),
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
        argument("initial_status", "InitialStatus", string, ""),
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
    "weights", (argument("passing", "Passing", whole, 0), argument("warning", "Warning", whole, 0))
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
        argument("canary_tags", "CanaryTags", strings),
        argument("enable_tag_override", "EnableTagOverride", flag, False),
        argument("port", "PortLabel", string, ""),
        argument("address_mode", "AddressMode", string, ""),
        argument("address", "Address", string, ""),
        blocks("check", "Checks", CHECK),
        block("check_restart", "CheckRestart", CHECK_RESTART),
        free_map("connect", "Connect"),
        text_map("meta", "Meta"),
        text_map("canary_meta", "CanaryMeta"),
        text_map("tagged_addresses", "TaggedAddresses"),
        argument("task", "TaskName", string, ""),
        argument("on_update", "OnUpdate", string, ""),
        block("identity", "Identity", IDENTITY),
        block("weights", "Weights", WEIGHTS),
        argument("provider", "Provider", string, "", "consul, nomad"),
        argument("cluster", "Cluster", string, ""),
        argument("kind", "Kind", string, ""),
    ),
    unread=frozenset({"Id", "Namespace"}),
)
