"""What each block of the canonical form holds where a spec says nothing, by job type.

Tables of API names and values; `filled` lays given data over one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.job import HOUR, MINUTE, SECOND

Defaults = Mapping[str, object]


def filled(given: Mapping[str, object], defaults: Defaults) -> dict[str, object]:
    """Return the fields of `defaults`, each as given, or by default where it is null or "".

    Fields that `defaults` does not name are dropped.
    """
    return {
        name: default if given.get(name) in (None, "") else given[name]
        for name, default in defaults.items()
    }


def _empty(names: str, value: object) -> dict[str, object]:
    return dict.fromkeys(names.split(), value)


JOB: Defaults = {
    **_empty(
        "Affinities Constraints Spreads Meta Multiregion ParameterizedJob Payload Periodic"
        " TaskGroups UI Update VersionTag",
        None,
    ),
    **_empty(
        "ID Name ParentID ConsulNamespace VaultNamespace NomadTokenID DispatchIdempotencyToken", ""
    ),
    **_empty("AllAtOnce Dispatched Stop", False),
    "Datacenters": ["*"],
    "Namespace": "default",
    "NodePool": "default",
    "Priority": 50,
    "Region": "global",
    "Type": "service",
}

GROUP: Defaults = {
    **_empty(
        "Affinities Constraints Consul Disconnect EphemeralDisk MaxClientDisconnect"
        " MaxRunDuration Meta Migrate Networks ReschedulePolicy RestartPolicy Scaling Services"
        " ShutdownDelay Spreads StopAfterClientDisconnect Tasks Update Volumes",
        None,
    ),
    "Name": "",
    "Count": 1,
    "PreventRescheduleOnLost": False,
}

_UPDATE: Defaults = {
    "Stagger": 30 * SECOND,
    "MaxParallel": 1,
    "HealthCheck": "checks",
    "MinHealthyTime": 10 * SECOND,
    "HealthyDeadline": 5 * MINUTE,
    "ProgressDeadline": 10 * MINUTE,
    "AutoRevert": False,
    "AutoPromote": False,
    "Canary": 0,
}
UPDATE: Mapping[str, Defaults] = {"service": _UPDATE, "system": _UPDATE}

_RESTART: Defaults = {
    "Attempts": 2,
    "Interval": 30 * MINUTE,
    "Delay": 15 * SECOND,
    "Mode": "fail",
    "RenderTemplates": False,
}
_RESTART_BATCH: Defaults = {**_RESTART, "Attempts": 3, "Interval": 24 * HOUR}
RESTART: Mapping[str, Defaults] = {
    "service": _RESTART,
    "system": _RESTART,
    "batch": _RESTART_BATCH,
    "sysbatch": _RESTART_BATCH,
}

RESCHEDULE: Mapping[str, Defaults] = {
    "service": {
        "Attempts": 0,
        "Interval": 0,
        "Delay": 30 * SECOND,
        "DelayFunction": "exponential",
        "MaxDelay": HOUR,
        "Unlimited": True,
    },
    "batch": {
        "Attempts": 1,
        "Interval": 24 * HOUR,
        "Delay": 5 * SECOND,
        "DelayFunction": "constant",
        "MaxDelay": 0,
        "Unlimited": False,
    },
}

MIGRATE: Mapping[str, Defaults] = {
    "service": {
        "MaxParallel": 1,
        "HealthCheck": "checks",
        "MinHealthyTime": 10 * SECOND,
        "HealthyDeadline": 5 * MINUTE,
    },
}

DISCONNECT: Defaults = {
    "LostAfter": 0,
    "StopOnClientAfter": None,
    "Replace": True,
    "Reconcile": "best_score",
}
EPHEMERAL_DISK: Defaults = {"Sticky": False, "SizeMB": 300, "Migrate": False}

NETWORK: Defaults = {
    **_empty("Mode Device CIDR IP Hostname", ""),
    **_empty("DNS CNI ReservedPorts DynamicPorts", None),
    "MBits": 0,
}
PORT: Defaults = {
    "Label": "",
    "Value": 0,
    "To": 0,
    "HostNetwork": "default",
    "IgnoreCollision": False,
}

SERVICE: Defaults = {
    **_empty("Name TaskName PortLabel Address Kind", ""),
    **_empty(
        "Tags CanaryTags Checks Connect Meta CanaryMeta TaggedAddresses Identity Weights", None
    ),
    "AddressMode": "auto",
    "EnableTagOverride": False,
    "Namespace": "default",
    "OnUpdate": "require_healthy",
    "Provider": "consul",
    "Cluster": "default",
}
CHECK: Defaults = {
    **_empty(
        "Name Type Command Path Protocol PortLabel AddressMode InitialStatus Notes TLSServerName"
        " Method GRPCService TaskName Body OnUpdate",
        "",
    ),
    **_empty("Args Header CheckRestart", None),
    **_empty("Expose TLSSkipVerify GRPCUseTLS", False),
    **_empty(
        "Interval Timeout SuccessBeforePassing FailuresBeforeCritical FailuresBeforeWarning", 0
    ),
}
UPSTREAM: Defaults = {
    **_empty(
        "DestinationName DestinationNamespace DestinationPeer DestinationPartition DestinationType"
        " Datacenter LocalBindAddress LocalBindSocketPath LocalBindSocketMode",
        "",
    ),
    "LocalBindPort": 0,
    "MeshGateway": {"Mode": ""},
    "Config": None,
}
CONNECT: Defaults = {
    "Native": False,
    **_empty("SidecarService SidecarTask Gateway", None),
}
SIDECAR_TASK: Defaults = {
    **_empty("Name Driver User KillSignal", ""),
    **_empty("Config Env Resources Meta LogConfig VolumeMounts", None),
    "KillTimeout": 5 * SECOND,
    "ShutdownDelay": 0,
}
GATEWAY_PROXY: Defaults = {
    "ConnectTimeout": 5 * SECOND,
    **_empty("EnvoyGatewayBindTaggedAddresses EnvoyGatewayNoDefaultBind", False),
    **_empty("EnvoyGatewayBindAddresses Config", None),
    "EnvoyDNSDiscoveryType": "",
}
CHECK_RESTART: Defaults = {"Limit": 0, "Grace": SECOND, "IgnoreWarnings": False}

TASK: Defaults = {
    **_empty(
        "Config Env Services Vault Consul Templates Constraints Affinities Resources"
        " RestartPolicy DispatchPayload Lifecycle Meta LogConfig Artifacts VolumeMounts"
        " ScalingPolicies CSIPluginConfig Identity Identities Secrets Actions Schedule",
        None,
    ),
    **_empty("Name Driver User KillSignal Kind", ""),
    "KillTimeout": 5 * SECOND,
    "Leader": False,
    "ShutdownDelay": 0,
}
RESOURCES: Defaults = {
    "CPU": 100,
    "MemoryMB": 300,
    **_empty("Cores MemoryMaxMB DiskMB IOPS SecretsMB", 0),
    **_empty("Networks Devices NUMA", None),
}
LOGS: Defaults = {"MaxFiles": 10, "MaxFileSizeMB": 10, "Disabled": False}
IDENTITY: Defaults = {
    **_empty("Name ChangeMode ChangeSignal Filepath ServiceName", ""),
    **_empty("Audience ExtraClaims", None),
    **_empty("Env File", False),
    "TTL": 0,
}
ARTIFACT: Defaults = {
    "GetterSource": "",
    "GetterMode": "any",
    "RelativeDest": "local/",
    **_empty("GetterOptions GetterHeaders", None),
    **_empty("GetterInsecure Chown", False),
}
TEMPLATE: Defaults = {
    **_empty("SourcePath DestPath EmbeddedTmpl ChangeSignal", ""),
    **_empty("ChangeScript Uid Gid Wait", None),
    **_empty("Once Envvars ErrMissingKey", False),
    "ChangeMode": "restart",
    "Splay": 5 * SECOND,
    "Perms": "0644",
    "LeftDelim": "{{",
    "RightDelim": "}}",
    "VaultGrace": 0,
}
VOLUME_MOUNT: Defaults = {
    **_empty("Volume Destination SELinuxLabel", ""),
    "ReadOnly": False,
    "PropagationMode": "private",
}
PERIODIC: Defaults = {
    "Enabled": True,
    "Spec": "",
    "Specs": None,
    "SpecType": "cron",
    "ProhibitOverlap": False,
    "TimeZone": "UTC",
}
DEVICE: Defaults = {"Name": "", "Count": 1, **_empty("Constraints Affinities", None)}
NUMA: Defaults = {"Affinity": "none", "Devices": None}
VAULT: Defaults = {
    **_empty("Role Namespace", ""),
    "Policies": None,
    "Cluster": "default",
    "Env": True,
    "DisableFile": False,
    "ChangeMode": "restart",
    "ChangeSignal": "SIGHUP",
    "AllowTokenExpiration": False,
}
CONSUL: Defaults = {**_empty("Namespace Partition", ""), "Cluster": "default"}
CSI_PLUGIN: Defaults = {
    **_empty("ID Type", ""),
    "MountDir": "/csi",
    "StagePublishBaseDir": "/local/csi",
    "HealthTimeout": 30 * SECOND,
}
