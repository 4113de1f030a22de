"""Which references run time can resolve, and what was probably meant by one that it can't. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from gitops.diagnostics import did_you_mean

_NODE = frozenset(
    f"node.{n}" for n in ("unique.id", "unique.name", "datacenter", "region", "class", "pool")
)
# Roots with members of any name.
_OPEN = frozenset({"attr", "meta", "device", "env", "secret"})
_PLAIN_WORDS = """
ALLOC_DIR TASK_DIR SECRETS_DIR MEMORY_LIMIT MEMORY_MAX_LIMIT CPU_LIMIT CPU_CORES ALLOC_ID
SHORT_ALLOC_ID ALLOC_NAME ALLOC_INDEX GROUP_NAME TASK_NAME JOB_ID JOB_NAME JOB_PARENT_ID DC
NAMESPACE REGION PARENT_CGROUP TOKEN UNIX_ADDR
"""
_FAMILY_WORDS = """
IP HOST_IP ADDR HOST_ADDR HOST_PORT PORT ALLOC_PORT ALLOC_INTERFACE ALLOC_IP ALLOC_ADDR IPv4 IPv6
UPSTREAM_IP UPSTREAM_PORT UPSTREAM_ADDR META TOKEN
"""
_PLAIN = frozenset(f"NOMAD_{n}" for n in _PLAIN_WORDS.split())
_FAMILIES = tuple(f"NOMAD_{n}_" for n in _FAMILY_WORDS.split())
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]*")
_ROOT = re.compile(r"\s*([^\W\d][\w-]*)\s*(?:\.\s*([^\W\d][\w.-]*))?")
# What other programs with this language have.
_FOREIGN = {
    "each": "The iterator of a dynamic block has the block's name, or what `iterator` says.",
    "count": "Each allocation has its own NOMAD_ALLOC_INDEX.",
    "path": "Paths are relative to the folder of the job file.",
    "self": "Write out what is meant.",
}


def reference_fault(text: str, names: Iterable[str], environment: Set[str]) -> str | None:
    """Return what to do about a reference that run time can't resolve, or None if it can.

    `names` are those of the spec itself, as in ``var.image``; `environment` the variables that its
    tasks have.
    """
    match = _ROOT.match(text)
    if match is None:
        return None
    root, rest = match.groups()
    bare = rest is None and match.end() == len(text.rstrip())
    if bare:
        return _bare(root, names, environment)
    if root in _OPEN:
        return None
    if root == "node":
        return None if f"node.{rest}" in _NODE else _hint(f"node.{rest}", _NODE)
    if root in _FOREIGN:
        return _FOREIGN[root]
    return _hint(f"{root}.{rest or ''}", [*names, *_NODE]) if rest else _root_hint(root)


def _bare(name: str, names: Iterable[str], environment: Set[str]) -> str | None:
    if name in environment or name in _PLAIN or name.startswith(_FAMILIES):
        return None
    if name.startswith("NOMAD_"):
        return _hint(name, [*_PLAIN, *environment])
    if name in _OPEN or name == "node":
        example = "node.unique.name" if name == "node" else f"{name}.name"
        return f'"{name}" has members; write one, as in "${{{example}}}".'
    if _ENVIRONMENT.fullmatch(name):
        return None
    own = next((n for n in names if n.endswith(f".{name}")), "")
    return f'Did you mean "{own}"?' if own else _hint(name, [*environment, *names, *_PLAIN])


def _hint(text: str, known: Iterable[str]) -> str:
    near = did_you_mean(text, known)
    return near or _root_hint(text.partition(".")[0])


def _root_hint(root: str) -> str:
    near = did_you_mean(root, [*_OPEN, "node", "var", "local"])
    return near or "Known are var, local, attr, meta, node, device, env and NOMAD_… ."
