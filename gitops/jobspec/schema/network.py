"""Tables of networks and their ports."""

from __future__ import annotations

from typing import cast

from gitops.jobspec.schema.rows import (
    Decoded,
    Table,
    argument,
    block,
    blocks,
    flag,
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
        argument("ignore_collision", "IgnoreCollision", flag, False, "mode host only"),
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
        argument("hostname", "Hostname", string, "", "a DNS name; not in mode host"),
        argument("mbits", "MBits", whole, None, "deprecated"),
        block("dns", "DNS", DNS),
        block("cni", "CNI", CNI),
        blocks("port", "_ports", PORT),
    ),
    finish=_finish_network,
    stored=(blocks("port", "ReservedPorts", PORT), blocks("port", "DynamicPorts", PORT)),
)
