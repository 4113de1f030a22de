"""The variables orch understands: one row each, with its type and limits."""

from __future__ import annotations

import difflib
import ipaddress
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from inventory.errors import Problem
from inventory.marked import Item, Value
from inventory.model import HostVolume, Reserved
from inventory.public_key import is_public_key

Check = Callable[[Value], object]

MAX_PORT = 65_535
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_LINE = re.compile(r"[^\x00-\x1f\x7f]{1,1024}")
_KEY_LINE = re.compile(r"(?P<type>[a-z0-9@.-]+) +(?P<data>[A-Za-z0-9+/=]+)(?: .*)?")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_SSH_CONNECTIONS = ("ssh", "smart", "paramiko", "paramiko_ssh")


class BadValueError(Exception):
    """A value that its variable can't take, with its place."""

    def __init__(self, value: Value, text: str) -> None:
        super().__init__(text)
        self._value = value
        self._text = text

    def told(self, name: str) -> Problem:
        """Return the problem, said of the variable that has the value."""
        return self._value.problem(f"{name}: {self._text}")


def problem_with_name(name: str, item: Item) -> Problem | None:
    """Return what is wrong with a variable's name: a misspelt one of orch's own."""
    if name.startswith("orch_") and name not in _ROWS:
        options = [r for r in _ROWS if r.startswith("orch_")]
        return item.problem(f"unknown variable {name!r}{suggestion(name, options)}")
    return None


def is_read(name: str) -> bool:
    """Return whether orch reads a variable of this name, in any of its spellings."""
    return _MEANT.get(name, name) in _ROWS


def converted(name: str, value: Value) -> object:
    """Return the value of a variable that orch reads, with its type.

    Raises `BadValueError`; templates in it must have been rendered.
    """
    if value.tag == "!vault":
        raise BadValueError(
            value, "encrypted values are not read; orch needs none: write this one plainly"
        )
    if value.tag not in ("", "!unsafe"):
        raise BadValueError(value, f"a value tagged {value.tag} is not decoded; write it plainly")
    return _ROWS[_MEANT.get(name, name)].check(value)


def spellings() -> Mapping[str, tuple[str, ...]]:
    """Return the names that orch reads, each with all its spellings, the strongest last."""
    return _SPELLINGS


def meanings() -> Mapping[str, str]:
    """Return what each name that orch reads is for, in Markdown."""
    return {name: row.meaning for name, row in _ROWS.items()}


def free(variables: Mapping[str, object]) -> dict[str, object]:
    """Return the variables that orch keeps but does not read."""
    return {k: v for k, v in variables.items() if not is_read(k)}


def suggestion(name: str, options: list[str]) -> str:
    """Return a question naming the nearest option, or nothing."""
    near = difflib.get_close_matches(name, options, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _text(value: Value) -> str:
    data = value.data
    if data is None or isinstance(data, bool | list | dict):
        raise BadValueError(value, f"expected text, got {_kind(value)}")
    text = str(data)
    if not _LINE.fullmatch(text):
        raise BadValueError(value, "expected one line of 1 to 1024 printable characters")
    return text


def _word(value: Value) -> str:
    """Text that ends up beside ssh's or sudo's own words."""
    text = _text(value)
    if text.startswith("-") or re.search(r"\s", text):
        raise BadValueError(value, "may not begin with '-' or hold blanks")
    return text


def _name(value: Value) -> str:
    text = _text(value)
    if not _NAME.fullmatch(text):
        raise BadValueError(value, f"{text!r}: only letters, digits, '-', '_' and '.' (up to 128)")
    return text


def _path(value: Value) -> str:
    text = _text(value)
    if not text.startswith("/") or "/../" in f"{text}/":
        raise BadValueError(value, f"{text!r}: expected an absolute path without '..'")
    return text.rstrip("/") or "/"


def _key_path(value: Value) -> str:
    return _text(value)


def _ssh_arguments(value: Value) -> tuple[str, ...]:
    """Split as a shell does: they are written for ssh's command line."""
    if value.data in ("", None):
        return ()
    try:
        return tuple(shlex.split(_text(value)))
    except ValueError as e:
        raise BadValueError(value, f"not a list of arguments: {str(e).lower()}") from e


def _number(low: int, high: int) -> Check:
    def check(value: Value) -> object:
        data = value.data
        number = int(data) if isinstance(data, str) and re.fullmatch(r"\d{1,12}", data) else data
        if not isinstance(number, int) or isinstance(number, bool):
            raise BadValueError(value, f"expected a whole number, got {_kind(value)}")
        if not low <= number <= high:
            raise BadValueError(value, f"{number} is not between {low} and {high}")
        return number

    return check


def _boolean(value: Value) -> bool:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    data = words.get(str(value.data).lower())
    if data is None:
        raise BadValueError(value, f"expected true or false, got {_kind(value)}")
    return data


def _address(value: Value) -> str:
    text = _text(value)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise BadValueError(value, f"{text!r} is not an IP address") from None


def _connection(value: Value) -> str:
    text = _text(value)
    if text not in _SSH_CONNECTIONS:
        raise BadValueError(value, f"{text!r}: hosts are reached by ssh only")
    return text


def _become_method(value: Value) -> str:
    if (text := _text(value)) != "sudo":
        raise BadValueError(value, f"{text!r}: only sudo is supported")
    return text


def _table(value: Value) -> dict[str, Item]:
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise BadValueError(value, f"expected a mapping, got {_kind(value)}")
    return value.data


def _meta(value: Value) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, item in _table(value).items():
        data = item.value.data
        if isinstance(data, list | dict):
            raise BadValueError(item.value, f"{key}: expected text, got {_kind(item.value)}")
        out[key] = (
            str(data).lower() if isinstance(data, bool) else "" if data is None else str(data)
        )
    return out


def _host_volumes(value: Value) -> dict[str, HostVolume]:
    return {
        name: _volume(item.value) for name, item in _table(value).items() if _known_name(name, item)
    }


def _known_name(name: str, item: Item) -> bool:
    if not _NAME.fullmatch(name):
        raise BadValueError(item.value, f"{name!r} is not a volume name")
    return True


def _volume(value: Value) -> HostVolume:
    if not isinstance(value.data, dict):
        return HostVolume(path=_path(value))
    given = _fields(value, {"path": _path, "read_only": _boolean})
    if "path" not in given:
        raise BadValueError(value, "a host volume needs a path")
    return HostVolume(
        path=cast("str", given["path"]), read_only=cast("bool", given.get("read_only", False))
    )


def _reserved(value: Value) -> Reserved:
    amount = _number(0, 10**9)
    given = _fields(value, {"cpu": amount, "memory": amount, "disk": amount, "ports": _ports})
    return Reserved(
        cpu=cast("int", given.get("cpu", 0)),
        memory_mb=cast("int", given.get("memory", 0)),
        disk_mb=cast("int", given.get("disk", 0)),
        ports=cast("frozenset[int]", given.get("ports", frozenset[int]())),
    )


def _fields(value: Value, rows: Mapping[str, Check]) -> dict[str, object]:
    out: dict[str, object] = {}
    for name, item in _table(value).items():
        if name not in rows:
            near = suggestion(name, list(rows))
            raise BadValueError(item.value, f"unknown key {name!r}{near}")
        out[name] = rows[name](item.value)
    return out


def _ports(value: Value) -> frozenset[int]:
    if isinstance(value.data, list):
        return frozenset[int]().union(*(_ports(v) for v in value.data))
    out: set[int] = set()
    for part in _text(value).split(","):
        found = _PORTS.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not 1 <= first <= last <= MAX_PORT:
            raise BadValueError(value, f"{part.strip()!r} is not a port or a range such as 80-90")
        out.update(range(first, last + 1))
    return frozenset(out)


def _host_keys(value: Value) -> tuple[str, ...]:
    if isinstance(value.data, list):
        return tuple(key for v in value.data for key in _host_keys(v))
    if not isinstance(value.data, str):
        raise BadValueError(value, f"expected public key lines, got {_kind(value)}")
    lines = [line.strip() for line in value.data.splitlines()]
    return tuple(_host_key(value, line) for line in lines if line and not line.startswith("#"))


def _host_key(value: Value, line: str) -> str:
    found = _KEY_LINE.fullmatch(line)
    if found is None or not is_public_key(found["type"], found["data"]):
        shape = "expected a public key such as 'ssh-ed25519 AAAA…', without the host's name"
        raise BadValueError(value, shape)
    return f"{found['type']} {found['data']}"


def _kind(value: Value) -> str:
    kinds: dict[type, str] = {
        dict: "a mapping",
        list: "a list",
        bool: "a boolean",
        type(None): "nothing",
    }
    return kinds.get(type(value.data)) or repr(value.data)


@dataclass(frozen=True, slots=True)
class _Row:
    """How a variable's value is checked and converted, and what docs say that it is for."""

    check: Check
    meaning: str


_ROWS: dict[str, _Row] = {
    "ansible_host": _Row(_word, "the address to connect to; default: the host's name"),
    "ansible_port": _Row(_number(1, MAX_PORT), "default: as [ssh](#ssh) has it, else 22"),
    "ansible_user": _Row(_word, "default: `ssh.user`, else as ssh has it"),
    "ansible_ssh_private_key_file": _Row(_key_path, "the only key to offer"),
    "ansible_ssh_args": _Row(
        _ssh_arguments, "arguments of ssh: `-J`, `-l`, `-p`, `-i` and `-o` count"
    ),
    "ansible_ssh_common_args": _Row(_ssh_arguments, "more of them"),
    "ansible_ssh_extra_args": _Row(_ssh_arguments, "and more"),
    "ansible_become": _Row(_boolean, "run commands by `sudo -n`"),
    "ansible_become_user": _Row(_word, "as whom; default root"),
    "ansible_become_method": _Row(_become_method, "`sudo`"),
    "ansible_connection": _Row(_connection, "`ssh`, or one of Ansible's names for it"),
    "ansible_group_priority": _Row(
        _number(-1000, 1000),
        "of groups at one depth, the higher one wins",
    ),
    "orch_datacenter": _Row(
        _name,
        "for `datacenters` of jobs, and `${node.datacenter}`; default `dc1`",
    ),
    "orch_node_class": _Row(_name, "for constraints on `${node.class}`"),
    "orch_node_pool": _Row(_name, "for `node_pool` of jobs; default `default`"),
    "orch_meta": _Row(_meta, "a map, for `${meta.…}`"),
    "orch_host_volumes": _Row(_host_volumes, "name: path, or `{path, read_only}`"),
    "orch_address": _Row(
        _address,
        "the address that tasks get as `NOMAD_IP_…`, and checks go to; default: that of "
        "the default route",
    ),
    "orch_allow_privileged": _Row(
        _boolean,
        "whether docker tasks may be privileged or add capabilities beyond Docker's own; "
        "default false",
    ),
    "orch_reserved": _Row(
        _reserved,
        '`{cpu, memory, disk, ports}` that are not for tasks, in MHz, MB, MB, `"22,80-90"`',
    ),
    "orch_data_dir": _Row(
        _path,
        "where orch keeps its files; default `/var/lib/orch`, not as root `~/.local/share/orch`",
    ),
    "orch_host_key": _Row(
        _host_keys,
        "the host's public key, or a list: trusted beside `known_hosts`",
    ),
}

# Ansible's older and shorter names of the same variables. Where several are given, the last wins.
_OTHERS: dict[str, tuple[str, ...]] = {
    "ansible_host": ("ansible_host", "ansible_ssh_host"),
    "ansible_port": ("ansible_port", "ansible_ssh_port"),
    "ansible_user": ("ansible_user", "ansible_ssh_user"),
    "ansible_ssh_private_key_file": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
}
_SPELLINGS = {name: _OTHERS.get(name, (name,)) for name in _ROWS}
_MEANT = {spelling: name for name, others in _OTHERS.items() for spelling in others}
