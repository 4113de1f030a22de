"""Tables of a service's `connect` block: sidecars, their proxies, and gateways."""

from __future__ import annotations

from gitops.jobspec.schema.resources import RESOURCES
from gitops.jobspec.schema.rows import (
    Table,
    argument,
    block,
    blocks,
    duration,
    flag,
    free_map,
    keyed,
    string,
    strings,
    text_map,
    whole,
    wholes,
)
from gitops.jobspec.schema.runtime import LOGS, VOLUME_MOUNT

EXPOSED_PATH = Table(
    "path",
    (
        argument("path", "Path", string, ""),
        argument("protocol", "Protocol", string, ""),
        argument("local_path_port", "LocalPathPort", whole, 0),
        argument("listener_port", "ListenerPort", string, ""),
    ),
)

EXPOSE = Table("expose", (blocks("path", "Paths", EXPOSED_PATH),), constants={"Path": None})

MESH_GATEWAY = Table("mesh_gateway", (argument("mode", "Mode", string, "", "local, remote, none"),))

UPSTREAMS = Table(
    "upstreams",
    (
        argument("destination_name", "DestinationName", string, ""),
        argument("destination_namespace", "DestinationNamespace", string, ""),
        argument("destination_peer", "DestinationPeer", string, ""),
        argument("destination_partition", "DestinationPartition", string, ""),
        argument("destination_type", "DestinationType", string, ""),
        argument("local_bind_port", "LocalBindPort", whole, 0),
        argument("datacenter", "Datacenter", string, ""),
        argument("local_bind_address", "LocalBindAddress", string, ""),
        argument("local_bind_socket_path", "LocalBindSocketPath", string, ""),
        argument("local_bind_socket_mode", "LocalBindSocketMode", string, ""),
        block("mesh_gateway", "MeshGateway", MESH_GATEWAY),
        free_map("config", "Config"),
    ),
)

TRANSPARENT_PROXY = Table(
    "transparent_proxy",
    (
        argument("uid", "UID", string, ""),
        argument("outbound_port", "OutboundPort", whole, 0),
        argument("exclude_inbound_ports", "ExcludeInboundPorts", strings),
        argument("exclude_outbound_ports", "ExcludeOutboundPorts", wholes),
        argument("exclude_outbound_cidrs", "ExcludeOutboundCIDRs", strings),
        argument("exclude_uids", "ExcludeUIDs", strings),
        argument("no_dns", "NoDNS", flag, False),
    ),
)

SIDECAR_PROXY = Table(
    "proxy",
    (
        argument("local_service_address", "LocalServiceAddress", string, ""),
        argument("local_service_port", "LocalServicePort", whole, 0),
        block("expose", "Expose", EXPOSE),
        blocks("upstreams", "Upstreams", UPSTREAMS),
        block("transparent_proxy", "TransparentProxy", TRANSPARENT_PROXY),
        free_map("config", "Config"),
    ),
    constants={"ExposeConfig": None},
)

SIDECAR_SERVICE = Table(
    "sidecar_service",
    (
        argument("tags", "Tags", strings),
        argument("port", "Port", string, ""),
        block("proxy", "Proxy", SIDECAR_PROXY),
        argument("disable_default_tcp_check", "DisableDefaultTCPCheck", flag, False),
        text_map("meta", "Meta"),
    ),
)

SIDECAR_TASK = Table(
    "sidecar_task",
    (
        argument("name", "Name", string, ""),
        argument("driver", "Driver", string, ""),
        argument("user", "User", string, ""),
        free_map("config", "Config"),
        text_map("env", "Env"),
        block("resources", "Resources", RESOURCES),
        text_map("meta", "Meta"),
        argument("kill_timeout", "KillTimeout", duration),
        block("logs", "LogConfig", LOGS),
        argument("shutdown_delay", "ShutdownDelay", duration),
        argument("kill_signal", "KillSignal", string, ""),
        blocks("volume_mount", "VolumeMounts", VOLUME_MOUNT),
    ),
)

BIND_ADDRESS = Table(
    "envoy_gateway_bind_addresses",
    (argument("address", "Address", string, ""), argument("port", "Port", whole, 0)),
    label="Name",
)

GATEWAY_PROXY = Table(
    "proxy",
    (
        argument("connect_timeout", "ConnectTimeout", duration),
        argument(
            "envoy_gateway_bind_tagged_addresses", "EnvoyGatewayBindTaggedAddresses", flag, False
        ),
        keyed("envoy_gateway_bind_addresses", "EnvoyGatewayBindAddresses", BIND_ADDRESS),
        argument("envoy_gateway_no_default_bind", "EnvoyGatewayNoDefaultBind", flag, False),
        argument("envoy_dns_discovery_type", "EnvoyDNSDiscoveryType", string, ""),
        free_map("config", "Config"),
    ),
)

SDS = Table(
    "sds",
    (
        argument("cluster_name", "ClusterName", string, ""),
        argument("cert_resource", "CertResource", string, ""),
    ),
)

TLS = Table(
    "tls",
    (
        argument("enabled", "Enabled", flag, False),
        argument("tls_min_version", "TLSMinVersion", string, ""),
        argument("tls_max_version", "TLSMaxVersion", string, ""),
        argument("cipher_suites", "CipherSuites", strings),
        block("sds", "SDS", SDS),
    ),
)

HEADERS = Table(
    "request_headers",
    (text_map("add", "Add"), text_map("set", "Set"), argument("remove", "Remove", strings)),
)

INGRESS_SERVICE = Table(
    "service",
    (
        argument("name", "Name", string, ""),
        argument("hosts", "Hosts", strings),
        block("tls", "TLS", TLS),
        block("request_headers", "RequestHeaders", HEADERS),
        block("response_headers", "ResponseHeaders", HEADERS),
        argument("max_connections", "MaxConnections", whole),
        argument("max_pending_requests", "MaxPendingRequests", whole),
        argument("max_concurrent_requests", "MaxConcurrentRequests", whole),
    ),
)

LISTENER = Table(
    "listener",
    (
        argument("port", "Port", whole, 0),
        argument("protocol", "Protocol", string, "", "tcp, http, http2, grpc"),
        blocks("service", "Services", INGRESS_SERVICE),
    ),
)

INGRESS = Table("ingress", (block("tls", "TLS", TLS), blocks("listener", "Listeners", LISTENER)))

LINKED_SERVICE = Table(
    "service",
    (
        argument("name", "Name", string, ""),
        argument("ca_file", "CAFile", string, ""),
        argument("cert_file", "CertFile", string, ""),
        argument("key_file", "KeyFile", string, ""),
        argument("sni", "SNI", string, ""),
    ),
)

TERMINATING = Table("terminating", (blocks("service", "Services", LINKED_SERVICE),))

GATEWAY = Table(
    "gateway",
    (
        block("proxy", "Proxy", GATEWAY_PROXY),
        block("ingress", "Ingress", INGRESS),
        block("terminating", "Terminating", TERMINATING),
        block("mesh", "Mesh", Table("mesh", ())),
    ),
)

CONNECT = Table(
    "connect",
    (
        argument("native", "Native", flag, False),
        block("gateway", "Gateway", GATEWAY),
        block("sidecar_service", "SidecarService", SIDECAR_SERVICE),
        block("sidecar_task", "SidecarTask", SIDECAR_TASK),
    ),
)
