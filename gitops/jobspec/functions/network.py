"""Functions of IP networks."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

from gitops.jobspec.functions.lazily import Eager, position
from gitops.jobspec.types import STRING
from gitops.jobspec.values import ListValue, Value, ValueFault, text

Net: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

_MOST_BITS = 32  # by which a prefix is made longer at once


def _network(value: Value) -> Net:
    try:
        return ipaddress.ip_network(text(value), strict=False)
    except ValueError as e:
        raise ValueFault(f"{e}; write it as 10.0.0.0/8") from None


def _cidrhost(net: Net, position: int) -> Value:
    count = net.num_addresses
    if not -(2**63) <= position < 2**63:
        raise ValueFault("the position is too large")
    if not -count <= position < count:
        raise ValueFault(f"the network has {count} addresses")
    return str(net[position])


def _cidrnetmask(net: Net) -> Value:
    return str(net.netmask)


def _part(net: Net, bits: int, position: int) -> Net:
    prefix = net.prefixlen + bits
    if not 0 <= bits <= _MOST_BITS or prefix > net.max_prefixlen or not 0 <= position < 2**bits:
        raise ValueFault("there is no such part of this network")
    start = int(net.network_address) + position * 2 ** (net.max_prefixlen - prefix)
    return type(net)((start, prefix))


def _cidrsubnet(net: Net, bits: int, position: int) -> Value:
    return str(_part(net, bits, position))


def _cidrsubnets(net: Net, *bits: int) -> Value:
    out: list[Value] = []
    at = int(net.network_address)
    for extra in bits:
        prefix = net.prefixlen + extra
        size = 2 ** max(0, net.max_prefixlen - prefix)
        at = -(-at // size) * size
        fits = at + size <= int(net.broadcast_address) + 1
        if not 1 <= extra <= _MOST_BITS or prefix > net.max_prefixlen or not fits:
            raise ValueFault("these parts do not fit into the network")
        out.append(str(type(net)((at, prefix))))
        at += size
    return ListValue.of(out, STRING)


FUNCTIONS: dict[str, Eager] = {
    "cidrhost": Eager(_cidrhost, (_network, position)),
    "cidrnetmask": Eager(_cidrnetmask, (_network,)),
    "cidrsubnet": Eager(_cidrsubnet, (_network, position, position)),
    "cidrsubnets": Eager(_cidrsubnets, (_network,), position),
}
