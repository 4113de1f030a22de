"""What starting costs: CPU seconds and peak memory of short commands, beside two peers.

CPU is user and system time, children included; memory is the peak of the largest process. Each
command is run once before, for its caches, then some times; the median counts. The peers are put
into an environment of their own below ~/.cache, from the package index; without it their rows are
left out. Exit code 1 if a budget is missed.
"""

from __future__ import annotations

import compileall
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RUNS = int(os.environ.get("RUNS", "7"))
BIN = Path(sys.executable).parent
PEERS = {"ansible": "ansible-core", "pyinfra": "pyinfra"}
MEGABYTE = 1024  # ru_maxrss is in KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    argv: tuple[str, ...]
    budget: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    cpu: float
    memory: float


def cost(argv: tuple[str, ...], cwd: Path, env: dict[str, str]) -> Cost:
    """Run once, in a process whose only children are the command and its own."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        subprocess.run(argv, check=True, cwd=cwd, env=env)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(writer, f"{spent.ru_utime + spent.ru_stime} {spent.ru_maxrss}".encode())
        os._exit(0)
    os.close(writer)
    words = os.read(reader, 100).split()
    os.close(reader)
    os.waitpid(pid, 0)
    if not words:
        raise SystemExit(f"{' '.join(argv)}: failed")
    return Cost(cpu=float(words[0]), memory=int(words[1]) / MEGABYTE)


def median(costs: list[Cost]) -> Cost:
    return Cost(
        cpu=statistics.median(c.cpu for c in costs),
        memory=statistics.median(c.memory for c in costs),
    )


@contextmanager
def one_job_on_one_host(top: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A repository whose job runs on an embedded host in another process."""
    who = {"NAME": "Bench", "EMAIL": "bench@example.com"}
    git = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ORCH_")},
        **git,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(top / "cache"),
        "ORCH_INVENTORY": str(top / "job/.orch/dev/inventory.yml"),
    }

    def sh(script: str) -> None:
        subprocess.run(["sh", "-ec", script], check=True, cwd=top, env=env, stdout=2)

    sh("git init -q job && cd job && orch init >&2 && git add . && git commit -qm 'First job'")
    host = subprocess.Popen(
        ["orch", "dev"], cwd=top / "job", env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        if host.stdout:
            host.stdout.readline()
        sh("cd job && orch apply -auto-approve >/dev/null 2>&1")
        yield top / "job", env
    finally:
        sh("cd job && orch stop -yes -purge example >/dev/null 2>&1")
        host.send_signal(signal.SIGINT)
        host.wait()


def peers() -> list[Command]:
    """Install the peers once; one that can't be installed is named and left out."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "orch-bench"
    if not (cache / "bin/pip").exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
    found: list[Command] = []
    for program, package in PEERS.items():
        path = cache / "bin" / program
        if not path.exists():
            pip = [str(cache / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, package], check=False, stdout=subprocess.DEVNULL)
        if path.exists():
            found.append(Command(name=f"{program} --version", argv=(str(path), "--version")))
        else:
            print(f"{program}: left out, {package} can't be installed here")
    return found


def main() -> int:
    # As an installed package is; some environments keep Python from writing it down by itself.
    for package in ("gitops", "executors", "planner", "inventory"):
        compileall.compile_dir(Path(__file__).parents[1] / package, quiet=2)
    commands = [
        Command(name="orch --version", argv=("orch", "--version"), budget=0.1),
        Command(name="orch --help", argv=("orch", "--help"), budget=0.35),
        Command(name="orch plan, no change", argv=("orch", "plan"), budget=1.0),
        Command(name="python -c pass", argv=(sys.executable, "-c", "pass")),
        *peers(),
    ]
    missed = False
    with (
        tempfile.TemporaryDirectory(prefix="orch-bench-") as top,
        one_job_on_one_host(Path(top)) as (cwd, env),
    ):
        os.environ["PATH"] = env["PATH"]
        costs = {c.name: [cost(c.argv, cwd, env)] for c in commands}
        # Interleaved, so that a busy minute hits all of them.
        for _ in range(RUNS):
            for c in commands:
                costs[c.name].append(cost(c.argv, cwd, env))
    print(f"Median of {RUNS} runs.\n\n| command | CPU s | peak MiB | budget, CPU s |")
    print("|---|---|---|---|")
    for c in commands:
        found = median(costs[c.name][1:])
        verdict = "" if not c.budget else "kept" if found.cpu <= c.budget else "MISSED"
        missed |= verdict == "MISSED"
        limit = f"{c.budget:g}: {verdict}" if c.budget else ""
        print(f"| {c.name} | {found.cpu:.2f} | {found.memory:.0f} | {limit} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
