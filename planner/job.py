"""The canonical job: what Nomad holds after registration, defaults filled in.

Field names follow the API (`planner.codec.json_name`); durations are integer nanoseconds, memory
and disk are MB, cpu is MHz. Values here are never changed: `dataclasses.replace` makes new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

StrMap = Mapping[str, str]


def _free() -> Mapping[str, object]:
    return {}


def _strings() -> StrMap:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """`l_target operand r_target`, for example ``${attr.kernel.name} = linux``."""

    l_target: str = ""
    r_target: str = ""
    operand: str = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """A constraint that is wished for with a `weight` of -100..100."""

    l_target: str = ""
    r_target: str = ""
    operand: str = "="
    weight: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadTarget:
    """The share in percent that allocations with attribute value `value` should have."""

    value: str
    percent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Spreads allocations over the values of `attribute`."""

    attribute: str
    weight: int = 50
    spread_target: tuple[SpreadTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """How a group is rolled; `max_parallel` 0 means all at once and no deployment."""

    stagger: int = 30 * SECOND
    max_parallel: int = 1
    health_check: str = "checks"
    min_healthy_time: int = 10 * SECOND
    healthy_deadline: int = 5 * MINUTE
    progress_deadline: int = 10 * MINUTE
    auto_revert: bool = False
    auto_promote: bool = False
    canary: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """What the supervisor on the host does when a task ends."""

    attempts: int = 2
    interval: int = 30 * MINUTE
    delay: int = 15 * SECOND
    mode: str = "fail"
    render_templates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReschedulePolicy:
    """When a failed allocation is placed again, on another node."""

    attempts: int = 0
    interval: int = 0
    delay: int = 30 * SECOND
    delay_function: str = "exponential"
    max_delay: int = HOUR
    unlimited: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrate:
    """The pace at which allocations leave a drained node."""

    max_parallel: int = 1
    health_check: str = "checks"
    min_healthy_time: int = 10 * SECOND
    healthy_deadline: int = 5 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """What becomes of allocations on a node that does not answer."""

    lost_after: int = 0
    stop_on_client_after: int | None = None
    replace: bool = True
    reconcile: str = "best_score"


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralDisk:
    """The allocation's own disk space."""

    sticky: bool = False
    size_mb: int = 300
    migrate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A labelled port; `value` > 0 is static, else one is drawn from the dynamic range."""

    label: str
    value: int = field(default=0, metadata={"omitempty": True})
    to: int = field(default=0, metadata={"omitempty": True})
    host_network: str = field(default="default", metadata={"omitempty": True})
    ignore_collision: bool = field(default=False, metadata={"omitempty": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Resolver settings of a network."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Ports and mode of a group's (or, in the old style, a task's) network."""

    mode: str = field(default="", metadata={"omitempty": True})
    device: str = field(default="", metadata={"omitempty": True})
    cidr: str = field(default="", metadata={"omitempty": True})
    ip: str = field(default="", metadata={"omitempty": True})
    hostname: str = field(default="", metadata={"omitempty": True})
    mbits: int = field(default=0, metadata={"omitempty": True})
    dns: Dns | None = field(default=None, metadata={"omitempty": True})
    cni: Mapping[str, object] = field(default_factory=_free, metadata={"omitempty": True})
    reserved_ports: tuple[Port, ...] = field(default=(), metadata={"omitempty": True})
    dynamic_ports: tuple[Port, ...] = field(default=(), metadata={"omitempty": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRestart:
    """Restarts the task after `limit` failing results in a row; 0 is off."""

    limit: int = 0
    grace: int = SECOND
    ignore_warnings: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A health check of a service."""

    name: str = ""
    type: str = ""
    command: str = ""
    args: tuple[str, ...] = ()
    path: str = ""
    protocol: str = ""
    port_label: str = ""
    expose: bool = False
    address_mode: str = ""
    interval: int = 0
    timeout: int = 0
    initial_status: str = ""
    notes: str = ""
    tls_server_name: str = ""
    tls_skip_verify: bool = False
    header: Mapping[str, object] = field(default_factory=_free)
    method: str = ""
    check_restart: CheckRestart | None = None
    grpc_service: str = ""
    grpc_use_tls: bool = False
    task_name: str = ""
    success_before_passing: int = 0
    failures_before_critical: int = 0
    failures_before_warning: int = 0
    body: str = ""
    on_update: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A name under which a port is announced, with its checks."""

    name: str = ""
    task_name: str = ""
    port_label: str = ""
    address_mode: str = "auto"
    address: str = ""
    enable_tag_override: bool = False
    tags: tuple[str, ...] = ()
    canary_tags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    connect: Mapping[str, object] = field(default_factory=_free)
    meta: StrMap = field(default_factory=_strings)
    canary_meta: StrMap = field(default_factory=_strings)
    tagged_addresses: StrMap = field(default_factory=_strings)
    namespace: str = "default"
    on_update: str = "require_healthy"
    provider: str = "consul"
    cluster: str = "default"
    kind: str = ""
    identity: Mapping[str, object] = field(default_factory=_free)
    weights: Mapping[str, object] = field(default_factory=_free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a task asks of a node."""

    cpu: int = 100
    cores: int = 0
    memory_mb: int = 300
    memory_max_mb: int = 0
    disk_mb: int = 0
    iops: int = 0
    networks: tuple[Network, ...] = ()
    devices: tuple[Mapping[str, object], ...] = ()
    numa: Mapping[str, object] = field(default_factory=_free)
    secrets_mb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """How many rotated log files of which size are kept per stream."""

    max_files: int = 10
    max_file_size_mb: int = 10
    disabled: bool = False


# Hooks: before main tasks run, once they run, and when all others have ended.
PRESTART, POSTSTART, POSTSTOP = "prestart", "poststart", "poststop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """When a task runs relative to the group's main tasks."""

    hook: str = ""
    sidecar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The workload identity every task carries in the canonical form."""

    name: str = "default"
    audience: tuple[str, ...] = ("nomadproject.io",)
    change_mode: str = ""
    change_signal: str = ""
    env: bool = False
    file: bool = False
    filepath: str = ""
    service_name: str = ""
    ttl: int = 0
    extra_claims: Mapping[str, object] = field(default_factory=_free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file fetched before the task starts."""

    getter_source: str = ""
    getter_options: StrMap = field(default_factory=_strings)
    getter_headers: StrMap = field(default_factory=_strings)
    getter_mode: str = "any"
    getter_insecure: bool = False
    relative_dest: str = "local/"
    chown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A file rendered before the task starts."""

    source_path: str = ""
    dest_path: str = ""
    embedded_tmpl: str = ""
    change_mode: str = "restart"
    change_signal: str = ""
    change_script: Mapping[str, object] = field(default_factory=_free)
    splay: int = 5 * SECOND
    once: bool = False
    perms: str = "0644"
    uid: int | None = None
    gid: int | None = None
    left_delim: str = "{{"
    right_delim: str = "}}"
    envvars: bool = False
    vault_grace: int = 0
    wait: Mapping[str, object] = field(default_factory=_free)
    err_missing_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRequest:
    """A volume that a group claims."""

    name: str
    type: str = ""
    source: str = ""
    read_only: bool = False
    sticky: bool = False
    access_mode: str = ""
    attachment_mode: str = ""
    mount_options: Mapping[str, object] = field(default_factory=_free)
    per_alloc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeMount:
    """Where a task sees a claimed volume."""

    volume: str = ""
    destination: str = ""
    read_only: bool = False
    propagation_mode: str = "private"
    selinux_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A command that users may run inside a task."""

    name: str = ""
    command: str = ""
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One process (or container) of a group."""

    name: str
    driver: str = ""
    user: str = ""
    config: Mapping[str, object] = field(default_factory=_free, metadata={"free": True})
    env: StrMap = field(default_factory=_strings)
    services: tuple[Service, ...] = ()
    vault: Mapping[str, object] = field(default_factory=_free)
    consul: Mapping[str, object] = field(default_factory=_free)
    templates: tuple[Template, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    affinities: tuple[Affinity, ...] = ()
    resources: Resources = Resources()
    restart_policy: RestartPolicy = RestartPolicy()
    dispatch_payload: Mapping[str, object] = field(default_factory=_free)
    lifecycle: Lifecycle | None = None
    meta: StrMap = field(default_factory=_strings)
    kill_timeout: int = 5 * SECOND
    log_config: LogConfig = LogConfig()
    artifacts: tuple[Artifact, ...] = ()
    leader: bool = False
    shutdown_delay: int = 0
    volume_mounts: tuple[VolumeMount, ...] = ()
    scaling_policies: tuple[Mapping[str, object], ...] = ()
    kill_signal: str = ""
    kind: str = ""
    csi_plugin_config: Mapping[str, object] = field(default_factory=_free)
    identity: Identity | None = Identity()
    identities: tuple[Identity, ...] = ()
    secrets: tuple[Mapping[str, object], ...] = ()
    actions: tuple[Action, ...] = ()
    schedule: Mapping[str, object] = field(default_factory=_free)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """Tasks that are placed together; `count` copies of it run."""

    name: str
    count: int = 1
    update: Update | None = None
    migrate: Migrate | None = None
    constraints: tuple[Constraint, ...] = ()
    scaling: Mapping[str, object] = field(default_factory=_free)
    restart_policy: RestartPolicy = RestartPolicy()
    disconnect: Disconnect | None = None
    tasks: tuple[Task, ...] = ()
    ephemeral_disk: EphemeralDisk = EphemeralDisk()
    meta: StrMap = field(default_factory=_strings)
    reschedule_policy: ReschedulePolicy | None = None
    affinities: tuple[Affinity, ...] = ()
    spreads: tuple[Spread, ...] = ()
    networks: tuple[Network, ...] = ()
    consul: Mapping[str, object] = field(default_factory=_free)
    services: tuple[Service, ...] = ()
    volumes: Mapping[str, VolumeRequest] = field(default_factory=dict[str, VolumeRequest])
    shutdown_delay: int | None = None
    stop_after_client_disconnect: int | None = None
    max_client_disconnect: int | None = None
    max_run_duration: int | None = None
    prevent_reschedule_on_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """When a periodic job launches its children."""

    enabled: bool = True
    spec: str = ""
    specs: tuple[str, ...] = ()
    spec_type: str = "cron"
    prohibit_overlap: bool = False
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameterized:
    """What a dispatch of a parameterized job takes."""

    payload: str = "optional"
    meta_required: tuple[str, ...] = ()
    meta_optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job of the desired state, or as it was registered.

    Bookkeeping (version, indexes, status) is not here: `planner.recorded.JobVersion` has it.
    """

    id: str
    name: str = ""
    type: str = "service"
    region: str = "global"
    namespace: str = "default"
    parent_id: str = ""
    priority: int = 50
    all_at_once: bool = False
    datacenters: tuple[str, ...] = ("*",)
    node_pool: str = "default"
    constraints: tuple[Constraint, ...] = ()
    affinities: tuple[Affinity, ...] = ()
    spreads: tuple[Spread, ...] = ()
    task_groups: tuple[TaskGroup, ...] = ()
    # The job level block as it stands in the canonical form, for display; groups have their own.
    update: Mapping[str, object] = field(default_factory=_free)
    multiregion: Mapping[str, object] = field(default_factory=_free)
    periodic: Periodic | None = None
    parameterized_job: Parameterized | None = None
    dispatched: bool = False
    dispatch_idempotency_token: str = ""
    payload: str | None = None
    meta: StrMap = field(default_factory=_strings)
    consul_namespace: str = ""
    vault_namespace: str = ""
    nomad_token_id: str = ""
    ui: Mapping[str, object] = field(default_factory=_free)
    stop: bool = False
    version_tag: Mapping[str, object] = field(default_factory=_free)

    def group(self, name: str) -> TaskGroup | None:
        """Return the group called `name`, or None."""
        return next((g for g in self.task_groups if g.name == name), None)
