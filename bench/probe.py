"""What looking at a fleet costs: orch beside Ansible, pyinfra and parallel-ssh, on loopback hosts.

CPU is user and system time of the client with all its children, those included that outlive it
(ssh's masters); memory is the most that all its processes have at a time, shared pages shared out.
The hosts are other processes, see `bench/loopback.py`. All clients have one key exchange,
curve25519, but where a row says otherwise: OpenSSH's default needs a real sshd, so Ansible at its
defaults talks to that. Peers are put into an environment of their own below ~/.cache, from the
package index; one that can't be installed is named and left out. Exit code 1 if a target is missed.
SIZES=50,200 makes it shorter, and so does RUNS=1.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from bench.loopback import POST_QUANTUM, Loopback, address, loopback  # noqa: E402

SIZES = tuple(int(n) for n in os.environ.get("SIZES", "50,200,1000").split(","))
# How often each row is measured.
RUNS = int(os.environ.get("RUNS", "3"))
REAL_HOSTS = 50
LARGE = 1000
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "orch-bench"
PACKAGES = {"ansible": "ansible-core", "pyinfra": "pyinfra", "pssh": "parallel-ssh"}
_SUBREAPER = 36
_PSSH = """
import sys
from pssh.clients import ParallelSSHClient
hosts = open(sys.argv[1]).read().split()
client = ParallelSSHClient(hosts, user="root", port=int(sys.argv[2]), pkey=sys.argv[3],
                           pool_size=100, num_retries=3)
done = client.run_command("true")
client.join(done)
assert [host.exit_code for host in done] == [0] * len(hosts)
"""
# CPU seconds and MiB at the largest size.
LIMITS = {"orch exec": (4.0, 0), "orch probe": (7.0, 100)}
# How many times as dear as a bare exec by orch the peers are, at least.
FACTORS = {
    "ansible, its defaults (real sshd)": 30.0,
    "ansible, equal key exchange": 15.0,
    "pyinfra": 2.5,
    "parallel-ssh": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run took: CPU seconds, seconds by the clock, MiB."""

    cpu: float
    wall: float
    memory: float


@dataclass(slots=True, kw_only=True)
class Row:
    """One client and the hosts it looks at, with what its runs have cost."""

    name: str
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict[str, str])
    costs: list[Cost] = field(default_factory=list[Cost])

    @property
    def median(self) -> Cost:
        """The median of each column."""
        return Cost(
            cpu=statistics.median(c.cpu for c in self.costs),
            wall=statistics.median(c.wall for c in self.costs),
            memory=statistics.median(c.memory for c in self.costs),
        )


def children(pid: int) -> list[int]:
    """Return the ids of all processes below one."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *children(child)]
    return found


def proportional(pid: int) -> int:
    """Return a process's share of memory, in KiB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def measured(row: Row, top: Path) -> Cost:
    """Run once, in a process that inherits whatever the client leaves behind."""
    reader, writer = os.pipe()
    begin = time.monotonic()
    pid = os.fork()
    if not pid:
        _run(row, top, writer)
    os.close(writer)
    peak, over = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(pid, peak, over))
    watcher.start()
    words = os.read(reader, 200).split()
    wall = time.monotonic() - begin
    os.waitpid(pid, 0)
    over.set()
    watcher.join()
    os.close(reader)
    if not words:
        raise SystemExit(f"{row.name}: failed\n{(top / 'log').read_text()[-2000:]}")
    memory = max(peak[0], int(words[1])) / 1024
    return Cost(cpu=float(words[0]), wall=wall, memory=memory)


def _run(row: Row, top: Path, writer: int) -> None:
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with (top / "log").open("wb") as log:
        env = {**os.environ, **row.env}
        done = subprocess.run(row.argv, stdout=log, stderr=log, cwd=top, env=env, check=False)
    for left in children(os.getpid()):
        with suppress(OSError):
            os.kill(left, signal.SIGTERM)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.returncode:
        os.write(writer, f"{spent.ru_utime + spent.ru_stime} {spent.ru_maxrss}".encode())
    os._exit(0)


def _watch(pid: int, peak: list[int], over: threading.Event) -> None:
    while not over.wait(0.5):
        peak[0] = max(peak[0], sum(map(proportional, children(pid))))


def installed() -> set[str]:
    """Install the peers once; return those that are there."""
    if not (CACHE / "bin/pip").exists():
        subprocess.run([sys.executable, "-m", "venv", str(CACHE)], check=True)
    found: set[str] = set()
    for name, package in PACKAGES.items():
        there = [str(CACHE / "bin/python"), "-c", f"import {name}"]
        if subprocess.run(there, check=False, stderr=subprocess.DEVNULL).returncode:
            pip = [str(CACHE / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, package], check=False, stdout=subprocess.DEVNULL)
        if subprocess.run(there, check=False, stderr=subprocess.DEVNULL).returncode:
            print(f"{package}: left out, it can't be installed here")
        else:
            found.add(name)
    return found


def orch(kind: str, count: int, fleet: Loopback) -> Row:
    """Return orch's row: `exec` of a `true`, the full `probe`, or `exec` by `asyncssh` alone."""
    words = (kind, str(count), str(fleet.port), str(fleet.key), fleet.host_key)
    argv = [sys.executable, str(PROJECT / "bench/look.py"), *words]
    return Row(name=f"orch {kind}", argv=argv, env={"PYTHONPATH": str(PROJECT)})


def ansible(name: str, count: int, fleet: Loopback, top: Path, options: str = "") -> Row:
    """Return Ansible's row: module raw, 50 forks."""
    ssh = f"-o UserKnownHostsFile={fleet.known_hosts} -o GlobalKnownHostsFile=/dev/null {options}"
    inventory = top / f"ansible-{fleet.port}-{count}-{len(options)}.ini"
    lines = [f"h{n} ansible_host={address(n)}" for n in range(count)]
    shared = {
        "ansible_port": str(fleet.port),
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(fleet.key),
        "ansible_ssh_extra_args": f"'{ssh}'",
    }
    lines += ["[all:vars]", *(f"{k}={v}" for k, v in shared.items())]
    inventory.write_text("\n".join(lines) + "\n")
    argv = [str(CACHE / "bin/ansible"), "all", "-i", str(inventory), "-f", "50", "-m", "raw"]
    env = {"ANSIBLE_LOCALHOST_WARNING": "false", "HOME": str(top), "LC_ALL": "C.UTF-8"}
    return Row(name=name, argv=[*argv, "-a", "true"], env=env)


def pyinfra(count: int, fleet: Loopback, top: Path) -> Row:
    """Return pyinfra's row: an exec, host keys checked."""
    shared = {
        "ssh_user": "root",
        "ssh_port": fleet.port,
        "ssh_key": str(fleet.key),
        "ssh_known_hosts_file": str(fleet.known_hosts),
        "ssh_strict_host_key_checking": "yes",
    }
    inventory = top / f"pyinfra_{fleet.port}_{count}.py"
    hosts = [(address(n), shared) for n in range(count)]
    inventory.write_text(f"hosts = {hosts!r}\n")
    argv = [str(CACHE / "bin/pyinfra"), "-y", str(inventory), "exec", "--", "true"]
    return Row(name="pyinfra", argv=argv, env={"HOME": str(top)})


def pssh(count: int, fleet: Loopback, top: Path) -> Row:
    """Return parallel-ssh's row; it checks no host keys."""
    (top / f"hosts-{count}").write_text("\n".join(map(address, range(count))))
    words = (str(top / f"hosts-{count}"), str(fleet.port), str(fleet.key))
    argv = [str(CACHE / "bin/python"), "-c", _PSSH, *words]
    return Row(name="parallel-ssh", argv=argv, env={"HOME": str(top)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleets:
    """The same hosts, as different servers."""

    equal: Loopback
    post_quantum: Loopback
    real: Loopback | None


def rows(count: int, fleets: Fleets, top: Path) -> list[Row]:
    """Return what is measured on so many hosts."""
    fleet, real = fleets.equal, fleets.real
    found = [orch("exec", count, fleet), orch("probe", count, fleet)]
    found.append(orch("exec", count, fleets.post_quantum))
    found[-1].name = "orch exec, post-quantum key exchange"
    found.append(orch("asyncssh", count, fleet))
    found[-1].name = "asyncssh alone"
    there = installed()
    if "pssh" in there:
        found.append(pssh(count, fleet, top))
    if "pyinfra" in there:
        found.append(pyinfra(count, fleet, top))
    if "ansible" in there:
        equal = "-o KexAlgorithms=curve25519-sha256"
        found.append(ansible("ansible, equal key exchange", count, fleet, top, equal))
        if real is not None:
            found.append(ansible("ansible, its defaults (real sshd)", count, real, top))
    if real is not None and count <= REAL_HOSTS:
        for each in (orch("exec", count, real), orch("probe", count, real)):
            each.name += " (real sshd)"
            found.append(each)
    return found


def verdict(row: Row, base: Row, count: int) -> str:
    """Say whether a row keeps its target; nothing where it has none."""
    if count != LARGE:
        return ""
    found, kept, said = row.median, True, ""
    if row.name in LIMITS:
        cpu, memory = LIMITS[row.name]
        kept = found.cpu <= cpu and (not memory or found.memory <= memory)
        said = f"≤ {cpu:g} CPU s" + (f", ≤ {memory} MiB" if memory else "")
    elif row.name in FACTORS:
        kept = found.cpu >= FACTORS[row.name] * base.median.cpu
        said = f"≥ {FACTORS[row.name]:g} times"
    return said and f"{said}: {'kept' if kept else 'MISSED'}"


def table(count: int, found: Sequence[Row]) -> bool:
    """Print one size's table; return whether a target was missed."""
    load = ", ".join(f"{x:.0f}" for x in os.getloadavg())
    print(f"\n{count} hosts, median of {len(found[0].costs)} runs, load {load}:\n")
    print(
        "| client | CPU s | of orch exec | wall s | peak MiB | target |\n|---|---|---|---|---|---|"
    )
    missed = False
    for row in found:
        cost, said = row.median, verdict(row, found[0], count)
        times = cost.cpu / found[0].median.cpu
        missed |= said.endswith("MISSED")
        print(
            f"| {row.name} | {cost.cpu:.2f} | {times:.1f} | {cost.wall:.1f} | {cost.memory:.0f} "
            f"| {said} |",
            flush=True,
        )
    return missed


def main() -> int:
    """Measure all sizes; interleaved, so that a busy minute hits all clients."""
    missed = False
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orch-bench-")))
        there = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        fleets = Fleets(
            equal=stack.enter_context(loopback(top, real=False)),
            post_quantum=stack.enter_context(loopback(top, real=False, key_exchange=POST_QUANTUM)),
            real=stack.enter_context(loopback(top, real=True)) if there else None,
        )
        for count in SIZES:
            found = rows(count, fleets, top)
            for _ in range(RUNS):
                for row in found:
                    row.costs.append(cost := measured(row, top))
                    told = f"{count} hosts, {row.name}: {cost.cpu:.2f} CPU s, {cost.memory:.0f} MiB"
                    print(told, file=sys.stderr, flush=True)
            missed |= table(count, found)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
