"""A host's private disk: what lies over the machine's root and makes the host one of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from tests.lab.programs import run

# The host's own, empty at first; the machine's content does not show through.
_OWN = (
    *("root", "home", "tmp", "opt", "srv", "mnt", "usr/local", "var/log", "var/tmp"),
    *("var/lib/docker", "etc/ssh", "etc/docker", "etc/cron.d", "etc/systemd/system"),
)
# All else at the top of the machine's root is hidden.
_STANDARD = frozenset(
    (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt"),
        *("opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"),
    )
)
_SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 200:30:400
MaxSessions 200
Subsystem sftp /usr/lib/openssh/sftp-server
"""
_SSHD_UNIT = """\
[Unit]
DefaultDependencies=no
After=basic.target
[Service]
RuntimeDirectory=sshd
ExecStart=/usr/sbin/sshd -D -e
Restart=always
RestartSec=300ms
KillMode=process
"""
_DOCKERD_UNIT = """\
[Unit]
DefaultDependencies=no
After=basic.target
[Service]
Type=notify
ExecStart=/usr/sbin/dockerd
Restart=always
RestartSec=300ms
KillMode=process
Delegate=yes
LimitNOFILE=1048576
"""
_TARGET = "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n"
_DOCKERD = '{"storage-driver": "overlay2", "shutdown-timeout": 5}\n'
# Units that make no sense in namespaces, or that start the machine's own services.
_MASKED = (
    *("dev-hugepages.mount", "proc-sys-fs-binfmt_misc.automount", "sys-fs-fuse-connections.mount"),
    *("sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
    *("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-timesyncd.service"),
    *("systemd-networkd.service", "systemd-logind.service", "systemd-modules-load.service"),
    *("kmod-static-nodes.service", "systemd-firstboot.service", "systemd-remount-fs.service"),
    *("systemd-binfmt.service", "systemd-journald-audit.socket", "ssh.service", "ssh.socket"),
    *("docker.service", "docker.socket", "containerd.service", "podman.service", "podman.socket"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The folder with a host's upper layer (`up`), work folder (`wk`) and mount point (`m`)."""

    room: Path
    name: str
    lab: int
    dockerd: bool = False

    @property
    def _up(self) -> Path:
        return self.room / "up"

    def install(self, *, public_key: str, host_key: Path, addresses: str) -> None:
        """Start with an empty disk: users and services only."""
        shutil.rmtree(self.room, ignore_errors=True)
        for folder in (self._up, self.room / "wk", self.room / "m"):
            folder.mkdir(parents=True)
        self._hide_the_machine()
        self._write("root/.ssh/authorized_keys", public_key, 0o600)
        (self._up / "root/.ssh").chmod(0o700)
        self._write("etc/ssh/ssh_host_ed25519_key", host_key.read_text(), 0o600)
        self._settle(addresses)
        self._units()

    def _hide_the_machine(self) -> None:
        for name in _OWN:
            folder = self._up / name
            folder.mkdir(parents=True)
            folder.chmod({"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777}.get(name, 0o755))
            os.setxattr(folder, "trusted.overlay.opaque", b"y")
        for path in Path("/").iterdir():
            if path.name not in _STANDARD:  # a character device 0/0 hides what lies below
                os.mknod(self._up / path.name, stat.S_IFCHR | 0o620, 0)

    def _settle(self, addresses: str) -> None:
        machine_id = hashlib.sha256(f"{self.lab}/{self.name}".encode()).hexdigest()[:32]
        self._write("etc/hostname", f"{self.name}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost\n{addresses}")
        self._write("etc/machine-id", f"{machine_id}\n", 0o444)
        self._write("etc/resolv.conf", "")  # names outside the lab fail at once
        self._write("etc/shadow", _unlocked(Path("/etc/shadow").read_text()), 0o640)
        self._write("etc/ssh/sshd_config", _SSHD, 0o600)
        services = Path(__file__).with_name("services.sh").read_text()
        self._write("etc/orch-lab-services", services, 0o755)
        if self.dockerd:
            self._write("etc/docker/daemon.json", _DOCKERD)

    def _units(self) -> None:
        system = self._up / "etc/systemd/system"
        wants = system / "lab.target.wants"
        wants.mkdir()
        (system / "default.target").symlink_to("lab.target")
        self._write("etc/systemd/system/lab.target", _TARGET)
        units = {"sshd": _SSHD_UNIT} | ({"dockerd": _DOCKERD_UNIT} if self.dockerd else {})
        for name, text in units.items():
            self._write(f"etc/systemd/system/{name}.service", text)
            (wants / f"{name}.service").symlink_to(f"../{name}.service")
        for unit in _MASKED:
            (system / unit).symlink_to("/dev/null")

    def _write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self._up / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)


def new_key(path: Path, comment: str) -> str:
    """Make an ed25519 key pair at `path`, unless it is there; return the public line."""
    if not path.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return path.with_name(f"{path.name}.pub").read_text()


def _unlocked(shadow: str) -> str:
    # sshd lets nobody in whose account is locked ("!"), not even with a key.
    lines = shadow.splitlines()
    return "".join(
        (":".join(["root", "*", *x.split(":")[2:]]) if x.startswith("root:") else x) + "\n"
        for x in lines
    )
