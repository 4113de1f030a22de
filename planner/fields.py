"""The table of the field diff: which parts of a job are blocks, in what order, matched by what.

Whatever is not named here is a plain field if it is a scalar or a map, and is not compared if not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from planner.job import (
    Action,
    Affinity,
    Artifact,
    Check,
    Constraint,
    Disconnect,
    Dns,
    Identity,
    Job,
    Network,
    Parameterized,
    Periodic,
    Port,
    Resources,
    Service,
    Task,
    TaskGroup,
    Template,
    Update,
    VolumeRequest,
)

Key = Callable[[Any], str]


class Match(Enum):
    """How the old and the new side of a block are put beside each other."""

    ONE = auto()  # a single block or none
    STRINGS = auto()  # a set of strings
    FREE = auto()  # a free map, flattened to the last leaf
    STRUCT = auto()  # a map that stands for a block: scalars are fields, the rest is nested
    KEY = auto()  # a list whose items are told apart by a key
    POSITION = auto()  # a list compared item by item
    MAP = auto()  # a map of blocks by name
    SERVICES = auto()  # a list matched by likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One kind of nested block: the attribute that holds it, and the name it is shown under."""

    attr: str
    name: str
    match: Match
    key: Key = str
    skip: frozenset[str] = frozenset()
    # a list with one item on each side is an edit of that item, whatever the keys say
    sole: bool = False
    # shown in a changed block even where it is the same
    context: bool = False
    # its kind follows from the fields that differ: where some only came, it is added
    by_fields: bool = False
    # the one entry of a free map that is shown
    inside: str = ""
    # items are free maps, flattened to the last leaf
    is_free: bool = False
    # what entries of a map that stands for a block are shown as, where not under their own name
    parts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a class is shown.

    `nil` is the text of an absent optional value; where it is None, absent values are hidden.
    `joined` names lists that are shown as one field, with commas.
    """

    blocks: tuple[Block, ...] = ()
    skip: frozenset[str] = frozenset()
    nil: str | None = None
    joined: frozenset[str] = frozenset()


def _one(attr: str, name: str) -> Block:
    return Block(attr=attr, name=name, match=Match.ONE)


def _strings(attr: str, name: str, *, context: bool = False) -> Block:
    return Block(attr=attr, name=name, match=Match.STRINGS, context=context)


def _free(attr: str, name: str) -> Block:
    return Block(attr=attr, name=name, match=Match.FREE)


def _struct(attr: str, name: str, *skip: str) -> Block:
    return Block(attr=attr, name=name, match=Match.STRUCT, skip=frozenset(skip))


def _keyed(attr: str, name: str, key: Key, *skip: str) -> Block:
    return Block(attr=attr, name=name, match=Match.KEY, key=key, skip=frozenset(skip))


def _listed(attr: str, name: str) -> Block:
    return Block(attr=attr, name=name, match=Match.POSITION)


def _constraint_text(c: Constraint) -> str:
    return f"{c.l_target} {c.operand} {c.r_target}"


def _affinity_text(a: Affinity) -> str:
    return f"{a.l_target} {a.operand} {a.r_target} {a.weight}"


def _port_label(port: Port) -> str:
    return port.label


def _artifact_place(artifact: Artifact) -> str:
    return artifact.relative_dest


def _template_place(template: Template) -> str:
    return template.dest_path


def _identity_name(identity: Identity) -> str:
    return identity.name


def _check_name(check: Check) -> str:
    return check.name


def _entry_name(entry: Mapping[str, object]) -> str:
    return str(entry.get("Name") or "")


_DEVICE = {"Constraints": "Constraint", "Affinities": "Affinity"}
_CONNECT = {"Proxy": "ConsulProxy", "Upstreams": "ConsulUpstreams"}


CONSTRAINTS = _keyed("constraints", "Constraint", _constraint_text)
AFFINITIES = _keyed("affinities", "Affinity", _affinity_text)
# Two networks are the same only if all in them is: a change shows the old and the new one.
NETWORKS = _keyed("networks", "Network", repr)
SERVICES = Block(attr="services", name="Service", match=Match.SERVICES)

SHAPES: dict[type[object], Shape] = {
    Job: Shape(
        skip=frozenset({"id", "update", "version_tag", "nomad_token_id", "payload"}),
        blocks=(
            _strings("datacenters", "Datacenters"),
            CONSTRAINTS,
            AFFINITIES,
            _one("periodic", "Periodic"),
            _one("parameterized_job", "ParameterizedJob"),
            _struct("multiregion", "Multiregion"),
            Block(attr="ui", name="UI", match=Match.STRUCT, parts={"Links": "Link"}),
        ),
    ),
    TaskGroup: Shape(
        skip=frozenset({"name"}),
        nil="",
        blocks=(
            CONSTRAINTS,
            AFFINITIES,
            _one("disconnect", "Disconnect"),
            _struct("scaling", "Scaling", "ID", "Type", "Target", "CreateIndex", "ModifyIndex"),
            _one("restart_policy", "RestartPolicy"),
            _one("migrate", "Migrate"),
            _one("reschedule_policy", "ReschedulePolicy"),
            _one("ephemeral_disk", "EphemeralDisk"),
            _struct("consul", "Consul"),
            _one("update", "Update"),
            NETWORKS,
            Block(attr="volumes", name="Volume", match=Match.MAP),
            SERVICES,
        ),
    ),
    Task: Shape(
        skip=frozenset({"name", "csi_plugin_config"}),
        blocks=(
            CONSTRAINTS,
            AFFINITIES,
            _free("config", "Config"),
            _one("resources", "Resources"),
            _one("log_config", "LogConfig"),
            _struct("dispatch_payload", "DispatchPayload"),
            Block(
                attr="artifacts",
                name="Artifact",
                match=Match.KEY,
                key=_artifact_place,
                by_fields=True,
            ),
            SERVICES,
            _struct("vault", "Vault"),
            Block(attr="secrets", name="Secret", match=Match.KEY, key=_entry_name, is_free=True),
            _struct("consul", "Consul"),
            Block(
                attr="templates",
                name="Template",
                match=Match.KEY,
                key=_template_place,
                sole=True,
            ),
            _one("identity", "Identity"),
            _keyed("identities", "Identity", _identity_name),
            _listed("actions", "Action"),
            _listed("volume_mounts", "VolumeMount"),
            _struct("schedule", "Schedule"),
        ),
    ),
    Disconnect: Shape(nil="nil"),
    Update: Shape(skip=frozenset({"stagger"})),
    Periodic: Shape(blocks=(_strings("specs", "Specs"),)),
    Parameterized: Shape(
        blocks=(
            _strings("meta_optional", "MetaOptional", context=True),
            _strings("meta_required", "MetaRequired", context=True),
        )
    ),
    Network: Shape(
        skip=frozenset({"device", "cidr", "ip", "mbits"}),
        blocks=(
            _keyed("reserved_ports", "Static Port", _port_label),
            _keyed("dynamic_ports", "Dynamic Port", _port_label, "value", "ignore_collision"),
            _one("dns", "DNS"),
            Block(attr="cni", name="CNIConfig", match=Match.FREE, inside="Args"),
        ),
    ),
    Dns: Shape(joined=frozenset({"servers", "searches", "options"})),
    Service: Shape(
        blocks=(
            _strings("canary_tags", "CanaryTags", context=True),
            _strings("tags", "Tags", context=True),
            Block(attr="checks", name="Check", match=Match.KEY, key=_check_name, sole=True),
            Block(attr="connect", name="ConsulConnect", match=Match.STRUCT, parts=_CONNECT),
            _struct("identity", "Identity"),
            _struct("weights", "Weights"),
        )
    ),
    Check: Shape(
        blocks=(
            _strings("args", "Args"),
            _free("header", "Header"),
            _one("check_restart", "CheckRestart"),
        )
    ),
    Resources: Shape(
        blocks=(
            NETWORKS,
            Block(attr="devices", name="Device", match=Match.KEY, key=_entry_name, parts=_DEVICE),
            _struct("numa", "NUMA"),
        )
    ),
    Identity: Shape(
        blocks=(Block(attr="audience", name="Audience", match=Match.STRINGS, context=True),)
    ),
    Template: Shape(
        # Nomad shows the waiting times of a template under its own name.
        blocks=(_struct("wait", "Template"), _struct("change_script", "ChangeScript")),
    ),
    VolumeRequest: Shape(blocks=(_struct("mount_options", "MountOptions"),)),
    Action: Shape(blocks=(_strings("args", "Args", context=True),)),
}

PLAIN = Shape()


def shape_of(cls: type[object]) -> Shape:
    """Return the table's entry for a class; a class without one has only plain fields."""
    return SHAPES.get(cls, PLAIN)
