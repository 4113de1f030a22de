"""Fills in what a spec leaves out: defaults by job type, inherited blocks, implied constraints.

Data in, data out, both with the API's names; decides nothing about whether a job is valid.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import cast

from gitops.jobspec.defaults import (
    ARTIFACT,
    CHECK,
    CHECK_RESTART,
    DISCONNECT,
    EPHEMERAL_DISK,
    GROUP,
    IDENTITY,
    JOB,
    LOGS,
    MIGRATE,
    NETWORK,
    PERIODIC,
    PORT,
    RESCHEDULE,
    RESOURCES,
    RESTART,
    SERVICE,
    SIGNALS,
    TASK,
    TEMPLATE,
    UPDATE,
    VOLUME_MOUNT,
    filled,
)
from planner.codec import FormatError

Data = dict[str, object]

_DISCOVERY = {"LTarget": "${attr.nomad.service_discovery}", "RTarget": "true", "Operand": "="}
_CHECKS = {"LTarget": "${attr.nomad.version}", "RTarget": ">= 1.4.0", "Operand": "semver"}
_BRIDGE_PLUGINS = ("bridge", "firewall", "host-local", "loopback", "portmap")


def canonical(spec: Mapping[str, object]) -> Data:
    """Return the data of the canonical job for that of a spec."""
    job = filled(spec, JOB)
    job["ID"] = job["ID"] or job["Name"]
    job["Name"] = job["Name"] or job["ID"]
    kind = str(job["Type"])
    job["Constraints"] = _constraints(spec.get("Constraints"))
    job["Affinities"] = _affinities(spec.get("Affinities"))
    job["Spreads"] = _spreads(spec.get("Spreads"))
    job["Update"] = _job_update(kind, _data(spec.get("Update")))
    if spec.get("Periodic"):
        job["Periodic"] = filled(_data(spec["Periodic"]), PERIODIC)
    if spec.get("ParameterizedJob"):
        parameters = _data(spec["ParameterizedJob"])
        job["ParameterizedJob"] = {**parameters, "Payload": parameters.get("Payload") or "optional"}
    job["TaskGroups"] = [_group(job, spec, g) for g in _items(spec.get("TaskGroups"))]
    for group in _items(job["TaskGroups"]):
        group["Constraints"] = _items(group["Constraints"]) + _implied(group)
    return job


def _group(job: Data, spec: Mapping[str, object], given: Data) -> Data:
    kind = str(job["Type"])
    group = filled(given, GROUP)
    scaling = _data(given.get("Scaling"))
    if given.get("Count") is None:
        group["Count"] = scaling.get("Min") if scaling.get("Min") is not None else 1
    group["Constraints"] = _constraints(given.get("Constraints"))
    group["Affinities"] = _affinities(given.get("Affinities"))
    group["Spreads"] = _spreads(given.get("Spreads"))
    _policies(group, kind, spec, given)
    if scaling:
        group["Scaling"] = _scaling(job, group, scaling)
    if given.get("Disconnect"):
        group["Disconnect"] = filled(_data(given["Disconnect"]), DISCONNECT)
    group["Networks"] = [_network(n) for n in _items(given.get("Networks"))]
    words = {"JOB": str(job["Name"]), "TASKGROUP": str(group["Name"])}
    base = f"{job['Name']}-{group['Name']}"
    group["Services"] = [_service(job, s, words, base) for s in _items(given.get("Services"))]
    group["Tasks"] = [_task(job, group, t) for t in _items(given.get("Tasks"))]
    return group


def _policies(group: Data, kind: str, spec: Mapping[str, object], given: Data) -> None:
    """Fill in the policies; a group's own block wins over the job's, argument by argument."""
    group["RestartPolicy"] = filled(
        _data(given.get("RestartPolicy")), RESTART.get(kind, RESTART["service"])
    )
    group["EphemeralDisk"] = filled(_data(given.get("EphemeralDisk")), EPHEMERAL_DISK)
    disk = _data(group["EphemeralDisk"])
    disk["Sticky"] = bool(disk["Sticky"] or disk["Migrate"])
    for name, defaults in (
        ("Update", UPDATE),
        ("Migrate", MIGRATE),
        ("ReschedulePolicy", RESCHEDULE),
    ):
        job_name = "Reschedule" if name == "ReschedulePolicy" else name
        merged = _merged(_data(spec.get(job_name)), _data(given.get(name)))
        default = defaults.get(kind)
        # A block that this type of job may not have is kept, for the rules to refuse it.
        refused = _is_given(spec.get(job_name)) or _is_given(given.get(name))
        group[name] = filled(merged, default) if default else merged if refused else None


def _is_given(block: object) -> bool:
    """Say whether a policy was written; stored jobs hold empty ones, all of whose fields are 0."""
    return bool(block) and any(value is None or value for value in _data(block).values())


def _merged(*layers: Data) -> Data:
    return {k: v for layer in layers for k, v in layer.items() if v is not None}


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
    return [{**c, "Operand": c.get("Operand") or "="} for c in _items(given)]


def _affinities(given: object) -> list[Data]:
    out = [{**a, "Operand": a.get("Operand") or "="} for a in _items(given)]
    return [{**a, "Weight": 50 if a.get("Weight") is None else a["Weight"]} for a in out]


def _spreads(given: object) -> list[Data]:
    return [{**s, "Weight": 50 if s.get("Weight") is None else s["Weight"]} for s in _items(given)]


def _network(given: Data) -> Data:
    network = filled(given, NETWORK)
    for name in ("ReservedPorts", "DynamicPorts"):
        network[name] = [filled(p, PORT) for p in _items(given.get(name))]
    return network


def _service(job: Data, given: Data, words: Mapping[str, str], base: str) -> Data:
    service = filled(given, SERVICE)
    service["Namespace"] = job["Namespace"] if service["Provider"] == "nomad" else "default"
    name = str(service["Name"]) or base
    for word, text in {**words, "BASE": base}.items():
        name = name.replace(f"${{{word}}}", text)
    service["Name"] = name
    shared = _data(given.get("CheckRestart"))
    service["Checks"] = [_check(service, c, shared) for c in _items(given.get("Checks"))]
    return service


def _check(service: Data, given: Data, shared: Data) -> Data:
    check = filled(given, CHECK)
    check["Name"] = check["Name"] or f'service: "{service["Name"]}" check'
    check["OnUpdate"] = check["OnUpdate"] or service["OnUpdate"]
    restart = _merged(shared, _data(given.get("CheckRestart")))
    check["CheckRestart"] = filled(restart, CHECK_RESTART) if restart else None
    return check


def _task(job: Data, group: Data, given: Data) -> Data:
    task = filled(given, TASK)
    task["Config"] = given.get("Config") or {}
    task["Constraints"] = _constraints(given.get("Constraints"))
    task["Affinities"] = _affinities(given.get("Affinities"))
    words = {"JOB": str(job["Name"]), "TASKGROUP": str(group["Name"]), "TASK": str(task["Name"])}
    base = "-".join(words.values())
    task["Services"] = [_service(job, s, words, base) for s in _items(given.get("Services"))]
    for service in _items(task["Services"]):
        service["TaskName"] = service["TaskName"] or task["Name"]
    task["Resources"] = _resources(_data(given.get("Resources")))
    restart = _merged(_data(group["RestartPolicy"]), _data(given.get("RestartPolicy")))
    task["RestartPolicy"] = restart
    task["LogConfig"] = _logs(_data(given.get("LogConfig")))
    task["Artifacts"] = [_artifact(a) for a in _items(given.get("Artifacts"))]
    task["Templates"] = [_template(t) for t in _items(given.get("Templates"))]
    task["VolumeMounts"] = [filled(m, VOLUME_MOUNT) for m in _items(given.get("VolumeMounts"))]
    task["Identity"] = _identity(_data(given.get("Identity")))
    task["Identities"] = [filled(i, IDENTITY) for i in _items(given.get("Identities"))]
    return task


def _resources(given: Data) -> Data:
    resources = filled(given, RESOURCES)
    if given.get("CPU") is None and resources["Cores"]:
        resources["CPU"] = 0
    resources["Networks"] = [_network(n) for n in _items(given.get("Networks"))]
    return resources


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


def _implied(group: Data) -> list[Data]:
    """Return the constraints that what a group uses puts on a node."""
    tasks = _items(group["Tasks"])
    services = _items(group["Services"]) + [s for t in tasks for s in _items(t["Services"])]
    native = [s for s in services if s["Provider"] == "nomad"]
    found: list[Data] = [dict(_DISCOVERY)] if native else []
    if any(s["Checks"] for s in native):
        found.append(dict(_CHECKS))
    if any(n["Mode"] == "bridge" for n in _items(group["Networks"])):
        found += [_plugin(name) for name in _BRIDGE_PLUGINS]
    if signals := _signals(tasks):
        found.append({"LTarget": SIGNALS, "RTarget": ",".join(signals), "Operand": "set_contains"})
    present = [_key(c) for c in _items(group["Constraints"])]
    return [c for c in found if _key(c) not in present]


def _key(constraint: Data) -> tuple[object, ...]:
    return constraint.get("LTarget"), constraint.get("RTarget"), constraint.get("Operand")


def _plugin(name: str) -> Data:
    target = f"${{attr.plugins.cni.version.{name}}}"
    return {"LTarget": target, "RTarget": ">= 0.4.0", "Operand": "semver"}


def _signals(tasks: Iterable[Data]) -> list[str]:
    found: set[str] = set()
    for task in tasks:
        found.add(str(task["KillSignal"] or ""))
        found |= {
            str(t["ChangeSignal"]) for t in _items(task["Templates"]) if t["ChangeMode"] == "signal"
        }
    return sorted(found - {""})


def _data(given: object) -> Data:
    if given is not None and not isinstance(given, dict):
        raise FormatError(f"expected an object, got {str(given)[:40]!r}")
    return cast("Data", given) if given else {}


def _items(given: object) -> list[Data]:
    if given is not None and not isinstance(given, list):
        raise FormatError(f"expected a list, got {str(given)[:40]!r}")
    return [_data(item) for item in cast("list[object]", given or [])]
