"""Brings the programs that a lab needs, as Debian packages; starts none of their services."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from tests.lab.programs import ENVIRONMENT, LabError, LabUnavailableError, run

# program → the Debian package it comes from
PLAIN = {
    "ip": "iproute2",
    "mount": "mount",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "sudo": "sudo",
    "tini": "tini",
}
SYSTEMD = {"/lib/systemd/systemd": "systemd", "dbus-daemon": "dbus"}
DOCKER = {"dockerd": "docker.io", "iptables": "iptables"}

_LOCK = Path("/run/orch-lab-packages.lock")
_POLICY = Path("/usr/sbin/policy-rc.d")
_UNITS = {
    "openssh-server": ("ssh.service", "ssh.socket"),
    "docker.io": ("docker.service", "docker.socket", "containerd.service"),
}


def bring(programs: dict[str, str]) -> None:
    """Install what is missing; raise `LabUnavailableError` when that does not work."""
    if not _missing(programs):
        return
    # apt-get waits for others' dpkg, not for others' lists
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _bring(programs)


def _bring(programs: dict[str, str]) -> None:
    missing = _missing(programs)
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabUnavailableError(_lacking(missing, "and there is no apt-get"))
    try:
        _install(missing)
    except LabError as error:
        raise LabUnavailableError(_lacking(missing, f"and {error}")) from error
    if still := _missing(programs):
        raise LabUnavailableError(_lacking(still, "even after their installation"))


def _missing(programs: dict[str, str]) -> list[str]:
    path = ENVIRONMENT["PATH"]
    return sorted({pkg for prog, pkg in programs.items() if not shutil.which(prog, path=path)})


def _lacking(packages: Iterable[str], why: str) -> str:
    return f"the lab lacks the packages {' '.join(packages)}, {why}"


def _install(packages: list[str]) -> None:
    # The whole environment is kept: a proxy may be set there.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    with _no_service_starts():
        run([*apt, "update"], timeout=300, env=env)
        run(install, timeout=600, env=env)
    units = [unit for package in packages for unit in _UNITS.get(package, ())]
    if units and shutil.which("systemctl"):  # nor at the machine's next boot
        run(["systemctl", "disable", *units], check=False)


@contextmanager
def _no_service_starts() -> Generator[None]:
    """While packages are installed, Debian asks this file whether their services may start: no."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
