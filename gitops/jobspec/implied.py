"""The constraints that what a group uses puts on its nodes, though the spec does not name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitops.jobspec.api_data import Data, as_data, as_items

SIGNALS = "${attr.os.signals}"
_BRIDGE_PLUGINS = ("bridge", "firewall", "host-local", "loopback", "portmap")


def implied_constraints(group: Data) -> list[Data]:
    """Return those of a canonical group that it does not have already, each once."""
    tasks = as_items(group["Tasks"])
    services = as_items(group["Services"])
    services += [s for t in tasks for s in as_items(t["Services"])]
    found = [
        *_services(services),
        *_vault(tasks),
        *_networks(group, services),
        *_resources(tasks),
        *_signals(tasks),
    ]
    present = [_key(c) for c in as_items(group["Constraints"])]
    return list({_key(c): c for c in found if _key(c) not in present}.values())


def _services(services: Iterable[Data]) -> Iterator[Data]:
    for service in services:
        if service["Provider"] == "consul":
            yield _at_least(f"{_cluster('consul', service['Cluster'])}.version", "1.8.0")
        if service["Provider"] == "nomad":
            yield _constraint("attr.nomad.service_discovery", "true", "=")
            if service["Checks"]:
                yield _at_least("attr.nomad.version", "1.4.0")


def _vault(tasks: Iterable[Data]) -> Iterator[Data]:
    for task in tasks:
        if vault := as_data(task["Vault"]):
            yield _at_least(f"{_cluster('vault', vault['Cluster'])}.version", "0.6.1")


def _cluster(program: str, name: object) -> str:
    return f"attr.{program}" if name in ("", "default", None) else f"attr.{program}.{name}"


def _networks(group: Data, services: Iterable[Data]) -> Iterator[Data]:
    if any(n["Mode"] == "bridge" for n in as_items(group["Networks"])):
        for name in _BRIDGE_PLUGINS:
            yield _at_least(f"attr.plugins.cni.version.{name}", "0.4.0")
    for service in services:
        sidecar = as_data(as_data(service["Connect"]).get("SidecarService"))
        if as_data(sidecar.get("Proxy")).get("TransparentProxy"):
            yield _at_least("attr.nomad.version", "1.8.0-dev")
            yield _at_least("attr.plugins.cni.version.consul-cni", "1.4.2")


def _resources(tasks: Iterable[Data]) -> Iterator[Data]:
    for task in tasks:
        numa = as_data(as_data(task["Resources"])["NUMA"])
        if numa.get("Affinity") in ("prefer", "require"):
            yield _at_least("attr.nomad.version", "1.6.3-dev")
            yield _constraint("attr.kernel.name", "linux", "=")
        if task["Schedule"]:
            yield _at_least("attr.nomad.version", "1.8.0-dev")


def _signals(tasks: Iterable[Data]) -> Iterator[Data]:
    found: set[str] = set()
    for task in tasks:
        found.add(str(task["KillSignal"] or ""))
        watched = [t for t in as_items(task["Templates"]) if t["ChangeMode"] == "signal"]
        found |= {str(t["ChangeSignal"]) for t in watched}
        vault = as_data(task["Vault"])
        if vault.get("ChangeMode") == "signal":
            found.add(str(vault["ChangeSignal"]))
    if signals := sorted(found - {""}):
        yield {"LTarget": SIGNALS, "RTarget": ",".join(signals), "Operand": "set_contains"}


def _at_least(attribute: str, version: str) -> Data:
    return _constraint(attribute, f">= {version}", "semver")


def _constraint(attribute: str, right: str, operand: str) -> Data:
    return {"LTarget": f"${{{attribute}}}", "RTarget": right, "Operand": operand}


def _key(constraint: Data) -> tuple[object, ...]:
    return constraint.get("LTarget"), constraint.get("RTarget"), constraint.get("Operand")
