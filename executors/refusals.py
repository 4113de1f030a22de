"""Why a host refused a guarded step, as errors that say what to do next. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from executors.printable import printable
from executors.transport import HostError, HostFault
from planner.errors import ConflictError, OrchError


class GuardError(OrchError):
    """A host refused a guarded step; nothing was left half done.

    `replan` says that the host is just not as it was planned: another place may do.
    """

    replan = False


class FencedError(GuardError, ConflictError):
    """A newer decision about the job stands on the host."""


class LeaseInDoubtError(ConflictError):
    """A run has not been heard of for so long that it may have been taken over by now."""


class OtherNodeError(GuardError, ConflictError):
    """The host is not the node it was planned for."""


class RestartedError(GuardError):
    """The host has started anew since it was looked at."""

    replan = True


class TombstonedError(GuardError):
    """The allocation was stopped; it never starts again."""


class TakenError(GuardError):
    """The allocation's id is in use for another start."""


class PortTakenError(GuardError):
    """A port is in use on the host."""

    replan = True


class NoRoomError(GuardError):
    """The node's reservations leave too little."""

    replan = True


class DiskFullError(GuardError):
    """The host can't write; what was begun has been removed."""


class MissingToolError(GuardError):
    """The host lacks a program that every allocation needs."""


class DamagedError(GuardError):
    """A file on the host is empty or unreadable; it is never taken for nothing."""


class BusyError(GuardError):
    """Another step held the host's lock for too long."""

    replan = True


class NotRunningError(GuardError):
    """The task does not run at the moment."""


class StillAliveError(GuardError):
    """Tasks of the allocation are not dead yet."""


_PACKAGES = {"flock": "util-linux", "setsid": "util-linux"}
_Words = Sequence[str]


def _fenced(where: str, words: _Words) -> GuardError:
    return FencedError(
        f"{where}: a newer decision stands, index {words[1]} of epoch {words[0]}",
        "another apply has taken the job: plan again",
    )


def _room(where: str, words: _Words) -> GuardError:
    unit = "MHz" if words[0] == "cpu" else "MB"
    return NoRoomError(
        f"{where}: no room: {words[0]} {words[1]} {unit} reserved and {words[2]} asked for "
        f"of {words[3]}",
        "plan again, or free the host",
    )


def _write(where: str, words: _Words) -> GuardError:
    return DiskFullError(
        f"{where}: could not write {words[0]} ({words[1]} kB free)",
        "make room there, or set orch_data_dir to a place this user can write",
    )


def _missing(where: str, words: _Words) -> GuardError:
    package = _PACKAGES.get(words[0], words[0])
    return MissingToolError(f"{where}: {words[0]} is not installed", f"install {package}")


def _other_node(where: str, words: _Words) -> GuardError:
    return OtherNodeError(
        f"{where}: it is another node than planned ({words[0]})",
        "the machine was replaced or restored: plan again",
    )


def _format(where: str, words: _Words) -> GuardError:
    return DamagedError(
        f"{where}: its data has format {words[0]}", "use the version of orch that wrote it"
    )


_REASONS: Mapping[str, Callable[[str, _Words], GuardError]] = {
    "fenced": _fenced,
    "room": _room,
    "write": _write,
    "missing-tool": _missing,
    "other-node": _other_node,
    "format": _format,
    "port": lambda w, x: PortTakenError(
        f"{w}: port {x[0]} is taken by {x[1]}", "free it, or choose another port"
    ),
    "restarted": lambda w, _: RestartedError(
        f"{w}: the host has started anew since it was looked at", "plan again"
    ),
    "tombstone": lambda w, _: TombstonedError(
        f"{w}: the allocation was stopped for good", "plan again"
    ),
    "taken": lambda w, _: TakenError(f"{w}: the allocation exists there already", "plan again"),
    "damaged": lambda w, x: DamagedError(
        f"{w}: {x[0]} is damaged", "see `orch node status` and restore or remove it"
    ),
    "missing": lambda w, _: DamagedError(f"{w}: there is no such allocation", "plan again"),
    "not-enrolled": lambda w, _: OtherNodeError(
        f"{w}: it has no node id", "the host was wiped: plan again"
    ),
    "busy": lambda w, _: BusyError(
        f"{w}: another step held the lock for 10 s", "try again; see `fuser` of its lock file"
    ),
    "not-running": lambda w, x: NotRunningError(
        f'{w}: task "{x[0]}" is not running', "See its events with 'orch alloc status'."
    ),
    "alive": lambda w, _: StillAliveError(f"{w}: its tasks are not dead yet", "stop it first"),
}


def refusal(host: str, about: str, words: _Words, stderr: bytes) -> OrchError:
    """The error for a script's last words; they are the host's, so they are cleaned and counted."""
    where = f"{host}: {about}" if about else host
    clean = [printable(w, 200) for w in words]
    if clean[:1] == ["docker"]:
        hint = "See `docker info` there as this user."
        return HostError(host, HostFault.DOCKER, " ".join(clean[1:]), hint)
    reason = _REASONS.get(clean[0]) if clean else None
    if reason is None:
        said = printable(stderr) or "no answer"
        return HostError(host, HostFault.COMMAND, f"{about}: {said}" if about else said)
    # A host may say too little.
    return reason(where, [*clean[1:], "?", "?", "?", "?"])
