"""One host of the lab: boots, says the truth about itself without ssh, and breaks to order."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.lab.cgroups import Cgroup
from tests.lab.disk import Disk, new_key
from tests.lab.network import Network
from tests.lab.programs import ENVIRONMENT, LabError, run, wait_for

Init = Literal["tini", "systemd"]

_INIT = {
    "tini": "/usr/bin/tini -s -- /etc/orch-lab-services",
    "systemd": "/lib/systemd/systemd --show-status=false",
}
# Joins the groups first: the new cgroup namespace begins where the process is when it is made.
_LAUNCH = """
for folder in $FOLDERS; do echo 0 >"$folder/cgroup.procs"; done
unset FOLDERS
exec nsenter --net="$NETWORK" unshare --mount --uts --ipc --pid --cgroup --fork "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the hosts of a lab have in common."""

    network: Network
    folder: Path
    public_key: str
    hierarchies: dict[str, Path]

    @property
    def key_path(self) -> Path:
        """The private key that every host of the lab lets in."""
        return self.folder / "id_ed25519"


class LabHost:
    """A host with sshd on port 22, root's key, and a disk that survives a crash."""

    port = 22
    user = "root"

    def __init__(
        self, site: Site, name: str, number: int, *, init: Init = "tini", dockerd: bool = False
    ) -> None:
        self.name = name
        self.address = site.network.address(number)
        self.init: Init = init
        self.dockerd = dockerd
        # folders of the machine that the host sees too, to read only; from the next boot on
        self.shown: Sequence[Path] = ()
        self._site = site
        self._number = number
        self._folder = site.folder / name
        self._folder.mkdir(exist_ok=True)
        self._disk = Disk(
            room=site.folder / "rw" / name, name=name, lab=site.network.lab, dockerd=dockerd
        )
        own = site.hierarchies
        if init == "tini" and not dockerd:  # joining a hierarchy costs 20 ms each
            own = {key: own[key] for key in ("freezer", "memory")}
        self._cgroup = Cgroup(f"orchlab{site.network.lab}/{name}", own)
        self._slow = False
        self._process: subprocess.Popen[bytes] | None = None
        public = new_key(self._folder / "host_key", name)
        self.host_key = " ".join(public.split()[:2])

    @property
    def key_path(self) -> Path:
        """The private key that root on this host lets in."""
        return self._site.key_path

    # -- life ---------------------------------------------------------------------------------

    def install(self) -> None:
        """Empty the disk; the keys stay. The host must be off."""
        if self.dockerd:
            shutil.rmtree(self._docker_data, ignore_errors=True)
            self._docker_data.mkdir(parents=True)
        self._disk.install(
            public_key=self._site.public_key,
            host_key=self._folder / "host_key",
            addresses=f"{self.address} {self.name}\n",
        )

    def boot(self) -> None:
        """Start the host and return at once; `wait_ready` waits for its sshd."""
        network = self._site.network
        network.plug(self.name, self._number)
        self._cgroup.create()
        with (self._folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                ["sh", "-c", _LAUNCH, "launch", "sh", str(Path(__file__).with_name("boot.sh"))],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=self._boot_environment(),
                cwd="/",
                start_new_session=True,  # the terminal's Ctrl-C is not for the host
            )

    @property
    def _docker_data(self) -> Path:
        # overlay2 cannot lie on an overlay, so it is kept beside the host's root.
        return Path("/var/lib", f"orch-lab-{self._site.network.lab}", self.name)

    def _boot_environment(self) -> dict[str, str]:
        return {
            **ENVIRONMENT,
            "HOST": self.name,
            "ROOM": str(self._disk.room),
            "DATA": str(self._docker_data) if self.dockerd else "",
            "SHOWN": " ".join(map(str, self.shown)),
            "INIT": _INIT[self.init],
            "CGROUPS": " ".join(self._cgroup.mounts),
            "FOLDERS": " ".join(map(str, self._cgroup.folders)),
            "NETWORK": f"/run/netns/{self._site.network.namespace(self.name)}",
            "container": "orch-lab",  # tells systemd not to touch the hardware
        }

    def wait_ready(self) -> None:
        """Return when sshd answers, and systemd and dockerd if the host has them."""
        wait_for(self._greets, f"sshd on {self.name}")
        if self.init == "systemd":
            run([*self._inside(), "systemctl", "is-system-running", "--wait"], check=False)
        if self.dockerd:
            wait_for(lambda: self._succeeds(["docker", "version"]), f"dockerd on {self.name}")

    def power_off(self) -> None:
        """End everything on the host at once and take its network away; the disk stays."""
        self._cgroup.kill()
        if self._process is not None:
            self._process.wait()
            self._process = None
        self._cgroup.remove()
        self._site.network.unplug(self.name)
        self._slow = False

    def reinstall(self) -> None:
        """Give the host a new, empty disk and boot it; its keys and address stay."""
        self.power_off()
        self.install()
        self.boot()
        self.wait_ready()

    # -- truth --------------------------------------------------------------------------------

    def sh(self, command: str, *, check: bool = True, timeout: float = 180) -> str:
        """Run shell text on the host, as root and without ssh; return its stdout.

        Raises `LabError` with what it said when it fails, unless told not to check. What goes on
        in the background must not keep stdout or stderr.
        """
        return run([*self._inside(), "sh", "-c", command], check=check, timeout=timeout)

    @property
    def is_up(self) -> bool:
        """Whether the host has a first process."""
        return self._first_process() is not None

    @property
    def root(self) -> Path:
        """The host's file system as seen from the machine; another one after each boot."""
        return Path(f"/proc/{self._init_pid()}/root")

    # -- faults -------------------------------------------------------------------------------

    def crash(self) -> None:
        """Pull the plug: connects time out; `heal` boots again, /run and /tmp are empty."""
        self.power_off()

    def partition(self) -> None:
        """Lose all traffic: connects time out, and what is open hangs."""
        self._site.network.cut(self.name)

    def freeze(self) -> None:
        """Hang: connects succeed, since the kernel accepts them, and then nobody answers."""
        self._cgroup.freeze(frozen=True)

    def slow_down(self) -> None:
        """Answer by a line as slow as a modem's."""
        self._site.network.slow_down(self.name)
        self._slow = True

    def stop_sshd(self) -> None:
        """Refuse connections and end those that are open."""
        if self.init == "systemd":
            self.sh("systemctl stop sshd; pkill -9 -x sshd || :")
        else:
            self.sh("touch /run/sshd.down; pkill -9 -x sshd || :")

    def configure_sshd(self, line: str) -> None:
        """Restart sshd with one more line, before all others; only `reinstall` takes it back."""
        self.stop_sshd()
        # of two lines with one keyword the first counts
        self.sh(f"sed -i 1i{shlex.quote(line)} /etc/ssh/sshd_config")
        self.heal()

    def heal(self) -> None:
        """Undo every fault; return when the host answers."""
        if self.is_up:
            self._cgroup.freeze(frozen=False)
            self._site.network.join(self.name)
            if self._slow:
                self._site.network.speed_up(self.name)
                self._slow = False
            self.sh("systemctl start sshd" if self.init == "systemd" else "rm -f /run/sshd.down")
        else:
            self.power_off()  # what is left of a host that died by itself
            self.boot()
        self.wait_ready()

    # -- inner --------------------------------------------------------------------------------

    def _greets(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            said = (self._folder / "console.log").read_text(errors="replace")[-2000:]
            message = f"{self.name} died at boot: {said}"
            raise LabError(message)
        try:
            with socket.create_connection((self.address, self.port), timeout=3) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _succeeds(self, argv: list[str]) -> bool:
        try:
            run([*self._inside(), *argv])
        except LabError:
            return False
        return True

    def _first_process(self) -> int | None:
        return first_process(self._cgroup)

    def _init_pid(self) -> int:
        pid = self._first_process()
        if pid is None:
            message = f"{self.name} is down"
            raise LabError(message)
        return pid

    def _inside(self) -> list[str]:
        return inside(self._init_pid())

    def __repr__(self) -> str:
        return f"LabHost({shlex.quote(self.name)} at {self.address})"


def first_process(cgroup: Cgroup) -> int | None:
    """The process in the group that is number 1 of its own PID namespace."""
    for pid in cgroup.pids():
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        numbers = status.partition("\nNSpid:")[2].partition("\n")[0].split()
        if len(numbers) > 1 and numbers[1] == "1":
            return pid
    return None


def inside(pid: int) -> list[str]:
    """The words that run a command in every namespace of a process."""
    return ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "--wd=/", "--"]
