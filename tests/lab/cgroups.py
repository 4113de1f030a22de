"""Groups of processes in cgroup v1: where a host lives, how it is frozen, how it surely ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.lab.programs import LabUnavailableError, wait_for

_CONTROLLERS = frozenset(
    (
        *("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory", "misc"),
        *("net_cls", "net_prio", "perf_event", "pids", "rdma"),
    )
)


def hierarchies() -> dict[str, Path]:
    """Controllers, as in a mount's options → where their hierarchy is mounted."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options = line.split()[:4]
        if kind == "cgroup" and where.startswith("/sys/fs/cgroup/"):
            words = [x for x in options.split(",") if x in _CONTROLLERS or x.startswith("name=")]
            found[",".join(words)] = Path(where)
    if not {"freezer", "memory"} <= found.keys():
        message = "the lab needs cgroup v1 (freezer and memory below /sys/fs/cgroup)"
        raise LabUnavailableError(message)
    return found


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One group, by the same name in several hierarchies."""

    name: str
    mounts: dict[str, Path]

    @property
    def folders(self) -> list[Path]:
        """The group's folder in each hierarchy."""
        return [mount / self.name for mount in self.mounts.values()]

    def create(self) -> None:
        """Make the group and those above it, ready to take processes."""
        for mount in self.mounts.values():
            folder = mount
            for part in Path(self.name).parts:
                folder /= part
                if not folder.is_dir():
                    folder.mkdir()
                    _inherit_cpuset(folder)

    def pids(self) -> set[int]:
        """The living processes in the group and in those below it."""
        top = self.mounts["freezer"] / self.name
        return {pid for folder in _tree(top) for pid in _listed(folder) if is_alive(pid)}

    def freeze(self, *, frozen: bool) -> None:
        """Stop or go on: a frozen process does nothing at all, not even die."""
        for folder in _tree(self.mounts["freezer"] / self.name):
            with suppress(FileNotFoundError):
                (folder / "freezer.state").write_text("FROZEN" if frozen else "THAWED")

    def kill(self) -> None:
        """End every process of the group; return when they are gone."""
        self.freeze(frozen=False)
        wait_for(self._killed, f"the end of the processes in {self.name}")

    def remove(self) -> None:
        """Remove the group, which has no process any more, and those below it."""
        for folder in self.folders:
            wait_for(partial(_removed, folder), f"removal of {folder}")

    def _killed(self) -> bool:
        living = self.pids()
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not living


def is_alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _inherit_cpuset(folder: Path) -> None:
    # A new cpuset group starts with no processors, and so takes no process.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists():
            (folder / name).write_text((folder.parent / name).read_text())
            (folder / "cgroup.clone_children").write_text("1")


def _tree(top: Path) -> Iterator[Path]:
    return (Path(folder) for folder, _, _ in os.walk(top))


def _listed(folder: Path) -> list[int]:
    try:
        return [int(x) for x in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _removed(top: Path) -> bool:
    for folder, _, _ in os.walk(top, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()
    return not top.exists()
