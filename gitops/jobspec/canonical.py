"""Fills in what a spec leaves out: defaults by job type, inherited blocks, implied constraints.

Data in, data out, both with the API's names; decides nothing about whether a job is valid.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from gitops.jobspec.api_data import Data, as_data, as_items, merged
from gitops.jobspec.canonical_service import ServiceNames, canonical_service
from gitops.jobspec.defaults import (
    ARTIFACT,
    CONSUL,
    CSI_PLUGIN,
    DEVICE,
    DISCONNECT,
    EPHEMERAL_DISK,
    GROUP,
    IDENTITY,
    JOB,
    LOGS,
    MIGRATE,
    NETWORK,
    NUMA,
    PERIODIC,
    PORT,
    RESCHEDULE,
    RESOURCES,
    RESTART,
    TASK,
    TEMPLATE,
    UPDATE,
    VAULT,
    VOLUME_MOUNT,
    filled,
)
from gitops.jobspec.implied import implied_constraints
from planner.codec import FormatError

_BLOCKS = {"Vault": VAULT, "Consul": CONSUL, "CSIPluginConfig": CSI_PLUGIN}


def canonical(spec: Mapping[str, object]) -> Data:
    """Return the data of the canonical job for that of a spec."""
    job = filled(spec, JOB)
    job["ID"] = job["ID"] or job["Name"]
    job["Name"] = job["Name"] or job["ID"]
    kind = str(job["Type"])
    job["Constraints"] = _constraints(spec.get("Constraints"))
    job["Affinities"] = _affinities(spec.get("Affinities"))
    job["Spreads"] = _spreads(spec.get("Spreads"))
    job["Update"] = _job_update(kind, as_data(spec.get("Update")))
    if spec.get("Periodic"):
        job["Periodic"] = filled(as_data(spec["Periodic"]), PERIODIC)
    if spec.get("ParameterizedJob"):
        parameters = as_data(spec["ParameterizedJob"])
        job["ParameterizedJob"] = {**parameters, "Payload": parameters.get("Payload") or "optional"}
    if spec.get("UI"):
        job["UI"] = _ui(as_data(spec["UI"]))
    if spec.get("Multiregion"):
        job["Multiregion"] = _multiregion(as_data(spec["Multiregion"]))
    job["TaskGroups"] = [_group(job, spec, g) for g in as_items(spec.get("TaskGroups"))]
    for group in as_items(job["TaskGroups"]):
        group["Constraints"] = as_items(group["Constraints"]) + implied_constraints(group)
    return job


def _group(job: Data, spec: Mapping[str, object], given: Data) -> Data:
    kind = str(job["Type"])
    group = filled(given, GROUP)
    scaling = as_data(given.get("Scaling"))
    if given.get("Count") is None:
        group["Count"] = scaling.get("Min") if scaling.get("Min") is not None else 1
    group["Constraints"] = _constraints(given.get("Constraints"))
    group["Affinities"] = _affinities(given.get("Affinities"))
    group["Spreads"] = _spreads(given.get("Spreads"))
    _policies(group, kind, spec, given)
    if scaling:
        group["Scaling"] = _scaling(job, group, scaling)
    if given.get("Consul"):
        group["Consul"] = filled(as_data(given["Consul"]), CONSUL)
    if given.get("Disconnect"):
        group["Disconnect"] = filled(as_data(given["Disconnect"]), DISCONNECT)
    group["Networks"] = [_network(n) for n in as_items(given.get("Networks"))]
    words = {"JOB": str(job["Name"]), "TASKGROUP": str(group["Name"])}
    names = ServiceNames(str(job["Namespace"]), words)
    group["Services"] = [canonical_service(s, names) for s in as_items(given.get("Services"))]
    group["Tasks"] = [_task(job, group, t) for t in as_items(given.get("Tasks"))]
    return group


def _policies(group: Data, kind: str, spec: Mapping[str, object], given: Data) -> None:
    """Fill in the policies; a group's own block wins over the job's, argument by argument."""
    group["RestartPolicy"] = filled(
        as_data(given.get("RestartPolicy")), RESTART.get(kind, RESTART["service"])
    )
    group["EphemeralDisk"] = filled(as_data(given.get("EphemeralDisk")), EPHEMERAL_DISK)
    disk = as_data(group["EphemeralDisk"])
    disk["Sticky"] = bool(disk["Sticky"] or disk["Migrate"])
    for name, defaults in (
        ("Update", UPDATE),
        ("Migrate", MIGRATE),
        ("ReschedulePolicy", RESCHEDULE),
    ):
        job_name = "Reschedule" if name == "ReschedulePolicy" else name
        both = merged(as_data(spec.get(job_name)), as_data(given.get(name)))
        default = defaults.get(kind)
        # A block that this type of job may not have is kept, for the rules to refuse it.
        refused = _is_given(spec.get(job_name)) or _is_given(given.get(name))
        group[name] = filled(both, default) if default else both if refused else None


def _is_given(block: object) -> bool:
    """Say whether a policy was written; stored jobs hold empty ones, all of whose fields are 0."""
    return bool(block) and any(value is None or value for value in as_data(block).values())


def _job_update(kind: str, given: Data) -> Data:
    """Return the job's own update block as it is shown: only two fields are kept of it."""
    update: Data = {
        "Stagger": 0, "MaxParallel": 0, "HealthCheck": "", "MinHealthyTime": 0,
        "HealthyDeadline": 0, "ProgressDeadline": 0, "AutoRevert": False, "AutoPromote": False,
        "Canary": 0,
    }  # fmt: skip
    if kind in UPDATE:
        both = filled(given, UPDATE[kind])
        update |= {name: both[name] for name in ("Stagger", "MaxParallel")}
    return update


def _ui(given: Data) -> Data:
    links = as_items(given.get("Links"))
    urls = [{"Label": link.get("Label"), "Url": link.get("URL", link.get("Url"))} for link in links]
    return {"Description": given.get("Description") or "", "Links": urls or None}


def _multiregion(given: Data) -> Data:
    strategy = as_data(given.get("Strategy"))
    regions = [
        {**r, "Count": 1 if r.get("Count") is None else r["Count"]}
        for r in as_items(given.get("Regions"))
    ]
    return {
        "Strategy": {
            "MaxParallel": strategy.get("MaxParallel") or 0,
            "OnFailure": strategy.get("OnFailure") or "",
        },
        "Regions": regions,
    }


def _scaling(job: Data, group: Data, given: Data) -> Data:
    target = {"Namespace": job["Namespace"], "Job": job["ID"], "Group": group["Name"]}
    numbers = {
        "Min": group["Count"] if given.get("Min") is None else given["Min"],
        "Max": given.get("Max") or 0,
    }
    for name, number in numbers.items():
        if type(number) is not int:
            raise FormatError(f"Scaling.{name}: expected int, got {type(number).__name__}")
    return {
        "ID": "", "CreateIndex": 0, "ModifyIndex": 0, "Target": target,
        "Type": given.get("Type") or "horizontal",
        "Enabled": given.get("Enabled") is not False,
        "Policy": given.get("Policy"),
        **numbers,
    }  # fmt: skip


def _constraints(given: object) -> list[Data]:
    return [{**c, "Operand": c.get("Operand") or "="} for c in as_items(given)]


def _affinities(given: object) -> list[Data]:
    return [_weighted({**a, "Operand": a.get("Operand") or "="}) for a in as_items(given)]


def _spreads(given: object) -> list[Data]:
    return [_weighted(s) for s in as_items(given)]


def _weighted(given: Data) -> Data:
    return {**given, "Weight": 50 if given.get("Weight") is None else given["Weight"]}


def _network(given: Data) -> Data:
    network = filled(given, NETWORK)
    for name in ("ReservedPorts", "DynamicPorts"):
        network[name] = [filled(p, PORT) for p in as_items(given.get(name))]
    return network


def _task(job: Data, group: Data, given: Data) -> Data:
    task = filled(given, TASK)
    task["Config"] = given.get("Config") or {}
    task["Constraints"] = _constraints(given.get("Constraints"))
    task["Affinities"] = _affinities(given.get("Affinities"))
    words = {"JOB": str(job["Name"]), "TASKGROUP": str(group["Name"]), "TASK": str(task["Name"])}
    names = ServiceNames(str(job["Namespace"]), words)
    task["Services"] = [canonical_service(s, names) for s in as_items(given.get("Services"))]
    for service in as_items(task["Services"]):
        service["TaskName"] = service["TaskName"] or task["Name"]
    task["Resources"] = _resources(as_data(given.get("Resources")))
    restart = merged(as_data(group["RestartPolicy"]), as_data(given.get("RestartPolicy")))
    task["RestartPolicy"] = restart
    task["LogConfig"] = _logs(as_data(given.get("LogConfig")))
    task["Artifacts"] = [_artifact(a) for a in as_items(given.get("Artifacts"))]
    task["Templates"] = [_template(t) for t in as_items(given.get("Templates"))]
    task["VolumeMounts"] = [filled(m, VOLUME_MOUNT) for m in as_items(given.get("VolumeMounts"))]
    task["Identity"] = _identity(as_data(given.get("Identity")))
    for name, defaults in _BLOCKS.items():
        task[name] = filled(as_data(given[name]), defaults) if given.get(name) else None
    plugin = as_data(task["CSIPluginConfig"])
    if plugin and not plugin["HealthTimeout"]:
        plugin["HealthTimeout"] = CSI_PLUGIN["HealthTimeout"]
    task["Identities"] = [filled(i, IDENTITY) for i in as_items(given.get("Identities"))]
    return task


def _resources(given: Data) -> Data:
    resources = filled(given, RESOURCES)
    if given.get("CPU") is None and resources["Cores"]:
        resources["CPU"] = 0
    resources["Networks"] = [_network(n) for n in as_items(given.get("Networks"))]
    resources["Devices"] = [_device(d) for d in as_items(given.get("Devices"))]
    if given.get("NUMA"):
        resources["NUMA"] = filled(as_data(given["NUMA"]), NUMA)
    return resources


def _device(given: Data) -> Data:
    device = filled(given, DEVICE)
    device["Constraints"] = _constraints(given.get("Constraints")) or None
    device["Affinities"] = _affinities(given.get("Affinities")) or None
    return device


def _logs(given: Data) -> Data:
    logs = filled(given, LOGS)
    if given.get("Disabled") is None and given.get("Enabled") is not None:
        logs["Disabled"] = not given["Enabled"]
    return logs


def _artifact(given: Data) -> Data:
    artifact = filled(given, ARTIFACT)
    if artifact["GetterMode"] == "file" and not given.get("RelativeDest"):
        artifact["RelativeDest"] = f"local/{posixpath.basename(str(artifact['GetterSource']))}"
    return artifact


def _template(given: Data) -> Data:
    template = filled(given, TEMPLATE)
    template["ChangeSignal"] = str(template["ChangeSignal"]).upper()
    if template["ChangeMode"] == "signal" and not template["ChangeSignal"]:
        template["ChangeSignal"] = "SIGHUP"
    return template


def _identity(given: Data) -> Data:
    identity = filled(given, IDENTITY)
    identity["Name"] = identity["Name"] or "default"
    identity["Audience"] = identity["Audience"] or ["nomadproject.io"]
    return identity
