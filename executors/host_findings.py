"""From what a host says of itself to what is missing there, and how to mend it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from executors.findings import Finding, Result
from executors.forwarding import DETOUR
from executors.probe import Probe
from executors.readiness import SESSIONS, ClockOffset, Readiness, ShellError
from executors.transport import HostError, HostFault
from inventory.model import Host

_SECOND = 1_000_000_000
# A clock that is off by more makes times hard to compare; by much more, certificates fail.
_OFF, _FAR_OFF = _SECOND, 60 * _SECOND
_SCARCE_MB, _FULL_MB = 1024, 64
_FEW_INODES = 1000
_PACKAGES = {
    "awk": "gawk or mawk",
    "find": "findutils",
    "flock": "util-linux",
    "grep": "grep",
    "sed": "sed",
    "setsid": "util-linux",
}
# orch goes on without these.
_DISPENSABLE = frozenset({"timeout"})
_PROGRAMS = {"java": "java", "qemu": "qemu-system-x86_64"}
_KEY_FAULTS = (HostFault.HOST_KEY_UNKNOWN, HostFault.HOST_KEY_CHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A host of the inventory, how it answered, and the drivers that jobs name, where known.

    `where` is how it was reached.
    """

    host: Host
    seen: Readiness
    where: str = ""
    drivers: frozenset[str] | None = None


def unreached(error: HostError) -> tuple[Finding, ...]:
    """Return what is known of a host that lets nobody in, or runs nothing."""
    if isinstance(error, ShellError):
        return (
            Finding(name="login", detail="it lets us in"),
            Finding(
                name="shell", result=Result.FAILED, detail=error.detail, remedy=_of_shell(error)
            ),
        )
    name = "host key" if error.fault in _KEY_FAULTS else "login"
    detail = f"{error.fault}: {error.detail}" if error.detail else str(error.fault)
    return (Finding(name=name, result=Result.FAILED, detail=detail, remedy=error.hint),)


def _of_shell(error: HostError) -> str:
    if "sudo" in error.detail:
        return (
            "Let the user run commands as ansible_become_user without a password; the line for "
            f"/etc/sudoers.d is in:\n  orch host setup -profile {error.host}"
        )
    return (
        "Give the user a login shell that runs commands (usermod -s /bin/sh USER), or name "
        "another one in ansible_user."
    )


def findings(case: Case) -> tuple[Finding, ...]:
    """Return everything that was looked at, in the order in which it is to be mended."""
    found: list[Finding] = []
    for look in _LOOKS:
        found += look(case)
    return tuple(found)


def _login(case: Case) -> Iterable[Finding]:
    trip = f"answers in {case.seen.clock.round_trip / 1e6:.0f} ms"
    where = f"{case.where}, " if case.where else ""
    yield Finding(name="login", detail=f"{where}{trip}")
    yield Finding(name="host key", detail="the one that is trusted")
    if case.host.ssh.become:
        yield Finding(name="become", detail=f"{case.seen.user} by sudo, without a password")


def _shell(case: Case) -> Iterable[Finding]:
    if not case.seen.noise:
        yield Finding(name="shell", detail=f"commands run as {case.seen.user}")
        return
    yield Finding(
        name="shell",
        result=Result.WARNING,
        detail=f"start-up files print: {case.seen.noise}",
        remedy="Make them silent where there is no terminal; git over ssh stumbles over it.",
    )


def _tools(case: Case) -> Iterable[Finding]:
    lacks = case.seen.lacks
    if not lacks:
        yield Finding(name="tools", detail="flock, setsid and the usual ones")
        return
    bearable = set(lacks) <= _DISPENSABLE
    packages = sorted({_PACKAGES.get(t, "coreutils") for t in lacks})
    yield Finding(
        name="tools",
        result=Result.WARNING if bearable else Result.FAILED,
        detail=f"not there: {', '.join(lacks)}",
        remedy=f"Install {', '.join(packages)} on the host.",
    )


def _folder(case: Case) -> Iterable[Finding]:
    facts = case.seen.facts
    path, kind = facts.get("data", "?"), facts.get("data.kind", "")
    result, detail, remedy = Result.OK, "", ""
    if kind == "folder":
        detail = f"{path} ({facts.get('data.owner', '?')})"
        if set(facts.get("data.may", "")) != {"r", "w", "x"}:
            result, detail = Result.FAILED, f"{detail}: not for {case.seen.user} to use"
            remedy = _make_folder(case, path)
        elif _others_write(facts.get("data.owner", "")):
            result, detail = Result.WARNING, f"{detail}: others can write to it"
            remedy = f"As root on the host: chmod 0711 {shlex.quote(path)}"
    elif kind:
        result, detail = Result.FAILED, f"{path} is no directory"
        remedy = "Move it away, or set orch_data_dir to another place."
    elif "w" not in facts.get("data.above.may", ""):
        above = f"{facts.get('data.above', '?')} ({facts.get('data.above.owner', '?')})"
        result, detail = Result.FAILED, f"{path} can't be made: {above} is not writable"
        remedy = _make_folder(case, path)
    else:
        detail = f"{path} is made by 'orch host setup', or the first apply"
    yield Finding(name="data directory", result=result, detail=detail, remedy=remedy)


def _make_folder(case: Case, path: str) -> str:
    user = case.seen.user
    group = case.seen.facts.get("groups", user).split(" ")[0]
    return (
        "As root on the host:\n"
        f"  {shlex.join(('install', '-d', '-o', user, '-g', group, '-m', '0711', path))}\n"
        "or set orch_data_dir to a place this user can write."
    )


def _others_write(rights: str) -> bool:
    mode = rights.rpartition(" ")[2]
    return mode[-1:].isdigit() and bool(int(mode[-1]) & 2)


def _disk(case: Case) -> Iterable[Finding]:
    facts = case.seen.facts
    free, inodes = _number(facts.get("data.free-kb")), _number(facts.get("data.free-inodes"))
    if free is None:
        return
    free //= 1024
    result = Result.OK
    if free < _FULL_MB:
        result = Result.FAILED
    elif free < _SCARCE_MB or (inodes is not None and inodes < _FEW_INODES):
        result = Result.WARNING
    few = f", {inodes} inodes" if inodes is not None and inodes < _FEW_INODES else ""
    yield Finding(
        name="disk",
        result=result,
        detail=f"{free:,} MB free{few} at {facts.get('data', '?')}",
        remedy="Make room there, or set orch_data_dir." if result is not Result.OK else "",
    )


def _number(text: str | None) -> int | None:
    return int(text[:18]) if text and text.isascii() and text.isdigit() else None


def _clock(case: Case) -> Iterable[Finding]:
    clock = case.seen.clock
    result = Result.OK
    if clock.least > _FAR_OFF:
        result = Result.FAILED
    elif clock.least > _OFF:
        result = Result.WARNING
    yield Finding(
        name="clock",
        result=result,
        detail=told(clock),
        remedy="Set it by NTP (timedatectl set-ntp true, or chrony), there or on this machine."
        if result is not Result.OK
        else "",
    )


def told(clock: ClockOffset) -> str:
    """Return an offset in words, with how sure it is."""
    which = "ahead of" if clock.offset > 0 else "behind"
    away = f"{abs(clock.offset) / _SECOND:,.3f} s {which} this machine's"
    return f"{away}, within {clock.bound / _SECOND:.3f} s"


def _forwarding(case: Case) -> Iterable[Finding]:
    passes = case.seen.forwarding
    yield Finding(
        name="tcp forwarding",
        result=Result.OK if passes.tcp else Result.WARNING,
        detail="sshd allows it" if passes.tcp else "sshd forbids it: checks run on the host",
        remedy="" if passes.tcp else "In sshd_config there: AllowTcpForwarding local",
    )
    if passes.unix is None:
        yield Finding(
            name="socket forwarding", result=Result.NOT_NEEDED, detail="it is for docker alone"
        )
        return
    yield Finding(
        name="socket forwarding",
        result=Result.OK if passes.unix else Result.WARNING,
        detail="sshd allows it" if passes.unix else f"sshd forbids it: {DETOUR}",
        remedy="" if passes.unix else "In sshd_config there: AllowStreamLocalForwarding local",
    )


def _sessions(case: Case) -> Iterable[Finding]:
    count = case.seen.sessions
    enough = count >= SESSIONS
    yield Finding(
        name="sessions",
        result=Result.OK if enough else Result.WARNING,
        detail=f"{count} at once" + ("" if enough else f", of {SESSIONS} that orch may want"),
        remedy="" if enough else "In sshd_config there: MaxSessions 10",
    )


def _systemd(case: Case) -> Iterable[Finding]:
    facts, root = case.seen.facts, case.seen.is_root
    if not root and "ends-processes" in facts and "linger" not in facts:
        yield Finding(
            name="systemd",
            result=Result.WARNING,
            detail=f"logind ends what {case.seen.user} runs at the end of a login",
            remedy=f"As root on the host: loginctl enable-linger {shlex.quote(case.seen.user)}",
        )
    elif root and "systemd" in facts:
        yield Finding(name="systemd", detail="supervises tasks, and brings them back at boot")
    else:
        why = "not there" if root else "not for this user"
        yield Finding(
            name="systemd",
            result=Result.NOT_NEEDED,
            detail=f"{why}: after a boot, the next apply brings tasks back",
        )


def _docker(case: Case) -> Iterable[Finding]:
    seen = case.seen.probe
    if isinstance(seen, Probe) and (version := seen.attributes.get("driver.docker.version")):
        yield Finding(name="docker", detail=f"{version}, answers {case.seen.user}")
        return
    wanted = case.drivers is None or "docker" in case.drivers
    detail, remedy = _docker_trouble(case)
    yield Finding(
        name="docker",
        result=Result.WARNING if wanted else Result.NOT_NEEDED,
        detail=detail if wanted else f"{detail}; no job here asks for it",
        remedy=remedy if wanted else "",
    )


def _docker_trouble(case: Case) -> tuple[str, str]:
    facts, user = case.seen.facts, case.seen.user
    program, socket = facts.get("docker.program"), facts.get("docker.socket")
    if not program and not socket:
        return (
            "not installed",
            "Install dockerd and the docker program on hosts that are to run it.",
        )
    if not program:
        return "the docker program is missing", "Install it: the package docker-cli or docker.io."
    if socket and "w" not in facts.get("docker.socket.may", ""):
        owner, group = facts.get("docker.socket.owner", "").split(" ")[0], "docker"
        group = owner.partition(":")[2] or group
        return (
            f"{user} may not use {socket} ({owner})",
            f"As root on the host: {shlex.join(('usermod', '-aG', group, user))}\n"
            "Whoever may use docker can be root there.",
        )
    said = facts.get("docker.error") or "it gives no version"
    return f"it does not answer: {said}", "Is it running? systemctl status docker, on the host."


def _others(case: Case) -> Iterable[Finding]:
    """Say of each further driver that jobs name whether its program is there."""
    seen = case.seen.probe
    tools = seen.tools if isinstance(seen, Probe) else frozenset[str]()
    for driver in sorted((case.drivers or frozenset()) & _PROGRAMS.keys()):
        there = _PROGRAMS[driver] in tools
        yield Finding(
            name=driver,
            result=Result.OK if there else Result.WARNING,
            detail="its program is there" if there else f"{_PROGRAMS[driver]} is not there",
            remedy="" if there else f"Install {_PROGRAMS[driver]} on hosts that are to run it.",
        )


def _records(case: Case) -> Iterable[Finding]:
    seen = case.seen.probe
    if any(f.result is Result.FAILED for f in _folder(case)):
        return
    if isinstance(seen, HostError):
        detail = f"{seen.fault}: {seen.detail}"
        yield Finding(name="records", result=Result.FAILED, detail=detail, remedy=seen.hint)
    elif seen.damaged:
        yield Finding(
            name="records",
            result=Result.FAILED,
            detail=f"{len(seen.damaged)} can't be read, as {seen.damaged[0][:8]}",
            remedy=f"Restore or remove them below {seen.data_dir}/records on the host.",
        )


def _node(case: Case) -> Iterable[Finding]:
    seen = case.seen.probe
    if isinstance(seen, HostError):
        return
    others = ", ".join(case.seen.clusters)
    shared = f"; it has data of {others}" if others else ""
    if seen.node_id:
        yield Finding(name="node", detail=f"enrolled, {seen.node_id[:8]}{shared}")
    else:
        made = "'orch host setup', or the first apply, gives it an id"
        yield Finding(name="node", detail=f"provisional: {made}{shared}")


_LOOKS: tuple[Callable[[Case], Iterable[Finding]], ...] = (
    _login,
    _shell,
    _tools,
    _folder,
    _disk,
    _records,
    _node,
    _clock,
    _sessions,
    _forwarding,
    _systemd,
    _docker,
    _others,
)
