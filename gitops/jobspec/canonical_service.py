"""Fills in what services leave out, with their checks and what they say for Consul's mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitops.jobspec.api_data import Data, as_data, as_items, merged, without_empty
from gitops.jobspec.defaults import (
    CHECK,
    CHECK_RESTART,
    CONNECT,
    GATEWAY_PROXY,
    LOGS,
    RESOURCES,
    SERVICE,
    SIDECAR_TASK,
    UPSTREAM,
    filled,
)


@dataclass(frozen=True, slots=True)
class ServiceNames:
    """What names of services are made of: the job's namespace and words for ``${JOB}`` and more."""

    namespace: str
    words: Mapping[str, str]

    @property
    def base(self) -> str:
        """The name of a service that has none."""
        return "-".join(self.words.values())


def canonical_service(given: Data, names: ServiceNames) -> Data:
    """Return a service with all its fields."""
    service = filled(given, SERVICE)
    service["Namespace"] = names.namespace if service["Provider"] == "nomad" else "default"
    name = str(service["Name"]) or names.base
    for word, text in {**names.words, "BASE": names.base}.items():
        name = name.replace(f"${{{word}}}", text)
    service["Name"] = name
    shared = as_data(given.get("CheckRestart"))
    service["Checks"] = [_check(service, c, shared) for c in as_items(given.get("Checks"))]
    service["Connect"] = _connect(as_data(given["Connect"])) if given.get("Connect") else None
    return service


def _check(service: Data, given: Data, shared: Data) -> Data:
    check = filled(given, CHECK)
    check["Name"] = check["Name"] or f'service: "{service["Name"]}" check'
    check["OnUpdate"] = check["OnUpdate"] or service["OnUpdate"]
    restart = merged(shared, as_data(given.get("CheckRestart")))
    check["CheckRestart"] = filled(restart, CHECK_RESTART) if restart else None
    return check


def _connect(given: Data) -> Data:
    connect = filled(given, CONNECT)
    sidecar, task, gateway = (
        as_data(given.get(name)) for name in ("SidecarService", "SidecarTask", "Gateway")
    )
    if sidecar:
        connect["SidecarService"] = without_empty(sidecar) | {"Proxy": _proxy(sidecar.get("Proxy"))}
    if task:
        connect["SidecarTask"] = filled(without_empty(task), SIDECAR_TASK) | {
            "Resources": filled(as_data(task.get("Resources")), RESOURCES),
            "LogConfig": filled(as_data(task.get("LogConfig")), LOGS),
        }
    if gateway:
        connect["Gateway"] = _gateway(gateway)
    return connect


def _proxy(given: object) -> Data | None:
    if not given:
        return None
    proxy = {k: v for k, v in without_empty(as_data(given)).items() if k != "ExposeConfig"}
    upstreams = as_items(proxy.get("Upstreams"))
    proxy["Upstreams"] = [filled(without_empty(u), UPSTREAM) for u in upstreams] or None
    if proxy.get("Expose"):
        proxy["Expose"] = {"Paths": as_data(proxy["Expose"]).get("Paths")}
    return proxy


def _gateway(given: Data) -> Data:
    gateway = dict(given)
    if given.get("Proxy"):
        gateway["Proxy"] = filled(without_empty(as_data(given["Proxy"])), GATEWAY_PROXY)
    if given.get("Ingress"):
        ingress = as_data(given["Ingress"])
        listeners = [
            {**listener, "Protocol": listener.get("Protocol") or "tcp"}
            for listener in as_items(ingress.get("Listeners"))
        ]
        gateway["Ingress"] = {**ingress, "Listeners": listeners or None}
    return gateway
