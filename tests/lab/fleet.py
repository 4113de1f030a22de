"""A lab: claims a free number, makes hosts, and leaves nothing behind, whoever is killed when."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from tests.lab import packages
from tests.lab.cgroups import Cgroup, hierarchies
from tests.lab.disk import new_key
from tests.lab.host import Init, LabHost, Site
from tests.lab.network import Network
from tests.lab.programs import LabError, LabUnavailableError, run

# Every lab has a folder here, by its number, and a lock that its owner holds while it lives.
LABS = Path("/run/orch-lab")
# Only a lab with this file in its folder outlives the process that made it.
KEEP = "keep"
_NUMBERS = range(200)
_MEMORY = 8 << 30


@dataclass(frozen=True, slots=True)
class Claim:
    """The exclusive right to a lab's number; ends with the process at the latest."""

    number: int
    lock: IO[str]

    def release(self) -> None:
        """Let others have the number."""
        with suppress(FileNotFoundError):
            _lock_path(self.number).unlink()
        self.lock.close()


class Lab:
    """Hosts h1, h2, … on one network. A context manager: at its end they are gone."""

    def __init__(self) -> None:
        require()
        sweep()
        self._claim = _free_claim()
        self.number = self._claim.number
        self.folder = LABS / str(self.number)
        self.hosts: dict[str, LabHost] = {}
        try:
            self._site = _build(self.number, self.folder)
        except BaseException:
            self.down()
            raise

    def up(self, count: int) -> Self:
        """Boot hosts h1 to h`count`, those that are not there yet."""
        names = [f"h{number}" for number in range(1, count + 1)]
        fresh = [
            self._start(name, "tini", dockerd=False) for name in names if name not in self.hosts
        ]
        in_parallel(fresh)
        self._write_ssh_files()
        return self

    def add(
        self,
        name: str,
        *,
        init: Init = "tini",
        dockerd: bool = False,
        shown: Sequence[Path] = (),
    ) -> LabHost:
        """Boot one more host, with systemd or dockerd if wanted; return it when it answers.

        It sees the folders `shown` of the machine at the same paths, to read only.
        """
        if init == "systemd":
            packages.bring(packages.SYSTEMD)
        if dockerd:
            packages.bring(packages.DOCKER)
        host = self._start(name, init, dockerd=dockerd, shown=shown)
        host.wait_ready()
        self._write_ssh_files()
        return host

    def host(self, name: str) -> LabHost:
        """The host of that name; raises `LabError` when there is none."""
        if name not in self.hosts:
            message = f"no host {name} in this lab, only {' '.join(self.hosts)}"
            raise LabError(message)
        return self.hosts[name]

    def inventory_text(self, names: Sequence[str] = ()) -> str:
        """An orch inventory of these hosts, or of all with a name like h1."""
        wanted = names or [name for name in self.hosts if name.startswith("h")]
        return "all:\n  hosts:\n" + "".join(_inventory_entry(self.host(name)) for name in wanted)

    def heal(self) -> None:
        """Undo every fault of every host."""
        for host in self.hosts.values():
            host.heal()

    def reinstall(self) -> None:
        """Give every host h1, h2, … an empty disk and a new boot, faults undone."""
        hosts = [host for name, host in self.hosts.items() if name.startswith("h")]
        for host in hosts:
            host.power_off()
            host.install()
            host.boot()
        in_parallel(hosts)

    def keep(self) -> None:
        """Let the lab outlive this process; `demolish` ends it."""
        (self.folder / KEEP).touch()
        self._claim.lock.close()

    def down(self) -> None:
        """End every host and remove all that the lab made."""
        try:
            for host in self.hosts.values():
                host.power_off()
            demolish(self.number)
        finally:
            self.hosts.clear()
            self._claim.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _start(
        self, name: str, init: Init, *, dockerd: bool, shown: Sequence[Path] = ()
    ) -> LabHost:
        number = len(self.hosts) + 1
        host = LabHost(self._site, name, number, init=init, dockerd=dockerd)
        host.shown = shown
        self.hosts[name] = host  # before it boots: `down` has to know it
        host.install()
        host.boot()
        return host

    def _write_ssh_files(self) -> None:
        """For people: `ssh -F FOLDER/ssh_config h1`."""
        known, text = self.folder / "known_hosts", ""
        known.write_text(
            "".join(f"{x.address},{x.name} {x.host_key}\n" for x in self.hosts.values())
        )
        for host in self.hosts.values():
            text += f"Host {host.name}\n  HostName {host.address}\n"
        text += f"Host *\n  User root\n  IdentityFile {self._site.key_path}\n  IdentitiesOnly yes\n"
        text += f"  UserKnownHostsFile {known}\n  StrictHostKeyChecking yes\n  BatchMode yes\n"
        (self.folder / "ssh_config").write_text(text)


def require() -> None:
    """Make this machine ready for labs; raise `LabUnavailableError` when it cannot be."""
    if os.uname().sysname != "Linux":
        message = "the lab needs Linux"
        raise LabUnavailableError(message)
    if os.geteuid() != 0:
        message = "the lab needs root, for network namespaces"
        raise LabUnavailableError(message)
    hierarchies()
    LABS.mkdir(mode=0o711, exist_ok=True)
    packages.bring(packages.PLAIN)


def sweep() -> None:
    """Remove the labs whose owner died without doing so."""
    for folder in LABS.glob("[0-9]*"):
        if folder.is_dir() and not (folder / KEEP).exists():
            clear(int(folder.name))


def clear(number: int) -> None:
    """Remove a lab and its lock, unless somebody alive owns it."""
    claim = _claimed(number)
    if claim is not None:
        try:
            demolish(number)
        finally:
            claim.release()


def kept() -> list[int]:
    """The numbers of the labs that were told to outlive their maker."""
    return sorted(int(path.parent.name) for path in LABS.glob(f"*/{KEEP}"))


def demolish(number: int) -> None:
    """Remove a lab, in whatever state: processes, network, mounts, groups, files."""
    group = Cgroup(f"orchlab{number}", hierarchies())
    group.kill()
    Network(number).down()
    group.remove()
    folder = LABS / str(number)
    while (folder / "rw").is_mount():
        run(["umount", "-l", str(folder / "rw")])
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(f"/var/lib/orch-lab-{number}", ignore_errors=True)


def in_parallel(hosts: Sequence[LabHost]) -> None:
    """Return when all of the booting hosts answer."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(LabHost.wait_ready, hosts))


@contextmanager
def lab_of(count: int) -> Generator[Lab]:
    """A lab with hosts, gone at the end even when their boot fails."""
    with Lab() as lab:
        yield lab.up(count)


def _lock_path(number: int) -> Path:
    return LABS / f"{number}.lock"


def _claimed(number: int) -> Claim | None:
    """The claim on a number, or nothing when somebody alive has it."""
    path = _lock_path(number)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
            return Claim(number, lock)
    except OSError:  # locked by another, or unlinked by the one before
        pass
    lock.close()
    return None


def _free_claim() -> Claim:
    for number in _NUMBERS:
        if (LABS / str(number)).exists() or Path(f"/sys/class/net/orchlab{number}").exists():
            continue
        claim = _claimed(number)
        if claim is None:
            continue
        if not (LABS / str(number)).exists():
            return claim
        claim.release()
    message = f"all {len(_NUMBERS)} numbers for labs are taken"
    raise LabError(message)


def _build(number: int, folder: Path) -> Site:
    mounts = hierarchies()
    rooms = folder / "rw"
    rooms.mkdir(parents=True)
    # An overlay's upper layer must not lie on an overlay, as a container's root is; tmpfs is fine.
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "orch-lab", str(rooms)])
    group = Cgroup(f"orchlab{number}", mounts)
    group.create()
    (mounts["memory"] / group.name / "memory.limit_in_bytes").write_text(str(_MEMORY))
    network = Network(number)
    network.up()
    public_key = new_key(folder / "id_ed25519", "orch-lab")
    return Site(network=network, folder=folder, public_key=public_key, hierarchies=mounts)


def _inventory_entry(host: LabHost) -> str:
    lines = {
        "ansible_host": host.address,
        "ansible_port": str(host.port),
        "ansible_user": host.user,
        "ansible_ssh_private_key_file": str(host.key_path),
        "orch_address": host.address,
        "orch_host_key": f'"{host.host_key}"',
    }
    return f"    {host.name}:\n" + "".join(f"      {k}: {v}\n" for k, v in lines.items())
