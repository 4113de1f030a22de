"""A shop to drive: a Git repository with jobs, a bare ledger, the lab's hosts, and the real CLI."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from executors.boundary import Boundary
from gitops.ledger.opening import Address, open_ledger
from planner.job_key import job_key
from planner.recorded import JobState
from tests import json_output
from tests.lab.fleet import Lab
from tests.lab.host import LabHost
from tests.lab.programs import wait_for

PROJECT = Path(__file__).parents[2]
_ORCH = [sys.executable, "-c", "from gitops.main import main; main()"]
_SECONDS = 300.0
_LOCK = "/var/lib/orch/lock"

# Lists the live tasks of a host as "PID ALLOC NAME": the leader of each task's own session. Their
# environment is the truth; what the records of orch say does not count.
_TASKS = r"""
for p in /proc/[0-9]*; do
    read -r s <"$p/stat" || continue
    set -- ${s##*) }
    [ "$1" != Z ] && [ "$4" = "${p#/proc/}" ] || continue
    tr '\0' '\n' <"$p/environ" | awk -F= -v pid="${p#/proc/}" '
        $1 == "NOMAD_ALLOC_ID" { id = $2 }
        $1 == "NOMAD_ALLOC_NAME" { name = $2 }
        END { if (id != "") print pid, id, name }'
done 2>/dev/null || :
"""
_FILES = r"""
[ -e /var/lib/orch ] || exit 0
find /var/lib/orch -printf '%p %y %m %s %T@\n' | sort
find /var/lib/orch -type f -exec sha256sum {} + | sort
"""
# Allocations that have not printed yet.
_SILENT = r"""
for d in /var/lib/orch/records/*/; do
    [ -d "$d" ] && ! [ -e "${d}released" ] || continue
    logs=/var/lib/orch/alloc/$(basename "$d")/alloc/logs
    [ -s "$logs/main.stdout.0" ] && [ -e "$logs/main.stderr.0" ] || echo "$d"
done
"""
# Sessions of sshd and this listing itself come and go.
_PROCESSES = r"""
for p in /proc/[0-9]*; do
    read -r s <"$p/stat" || continue
    set -- ${s##*) }
    [ "$4" = "$(cut -d' ' -f6 /proc/$$/stat)" ] && continue
    case $(tr '\0' ' ' <"$p/cmdline") in sshd*) continue ;; esac
    printf '%s %s\n' "${p#/proc/}" "${20}"
done 2>/dev/null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def check_index(self) -> int:
        """The index that a plan names in the command to run."""
        found = re.search(r"-check-index (\d+)", self.out)
        assert found, self.out
        return int(found[1])

    def data(self) -> Any:  # noqa: ANN401
        """What was printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A task that runs on a host, as the host's own /proc has it."""

    host: str
    pid: int
    alloc: str
    name: str


@dataclass(slots=True, kw_only=True)
class Shop:
    """One user's clone (`repo`) with its cache, and the world around it."""

    root: Path
    lab: Lab
    hosts: Sequence[LabHost]
    cluster: str = field(default_factory=lambda: f"shop-{secrets.token_hex(3)}")
    clone: str = "repo"
    settings: str = ""
    started: list[subprocess.Popen[str]] = field(default_factory=list["subprocess.Popen[str]"])

    @property
    def repo(self) -> Path:
        """The working tree."""
        return self.root / self.clone

    @property
    def ledger(self) -> Path:
        """The bare repository of the ledger."""
        return self.root / "ledger.git"

    @property
    def environment(self) -> dict[str, str]:
        """What every command of this user finds."""
        home = self.root / f"home-{self.clone}"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "PYTHONPATH": str(PROJECT),
            "PYTHONWARNINGS": "error",
            "LANG": "C.UTF-8",
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }

    def set_up(self) -> Shop:
        """Make the repository and the ledger, with no job yet."""
        self.git("init", "-q", "--bare", str(self.ledger), cwd=self.root)
        self.git("init", "-q", "-b", "main", str(self.repo), cwd=self.root)
        (self.repo / "jobs").mkdir()
        (self.repo / "orch.toml").write_text(
            f'cluster = "{self.cluster}"\n[ledger]\nurl = "{self.ledger}"\n{self.settings}'
        )
        names = [h.name for h in self.hosts]
        (self.repo / "inventory.yml").write_text(self.lab.inventory_text(names))
        return self.commit()

    def cloned(self, name: str) -> Shop:
        """Another user's clone of the same repository."""
        self.git("clone", "-q", str(self.repo), str(self.root / name), cwd=self.root)
        return Shop(
            root=self.root,
            lab=self.lab,
            hosts=self.hosts,
            cluster=self.cluster,
            clone=name,
            started=self.started,
        )

    # -- what the user does -------------------------------------------------------------------

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git; return what it printed."""
        argv = ["git", *words]
        env = self.environment
        where = cwd or self.repo
        return subprocess.run(
            argv, check=True, capture_output=True, text=True, env=env, cwd=where
        ).stdout

    def job(self, text: str, name: str = "web") -> Path:
        """Write and commit a job file; return its path."""
        path = self.repo / "jobs" / f"{name}.nomad.hcl"
        path.write_text(text)
        self.commit()
        return path

    def commit(self) -> Shop:
        """Commit what changed."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self

    def orch(self, *words: str, code: int | None = 0) -> Done:
        """Run a command to its end; it must exit with `code` unless that is None."""
        started = self.start(*words)
        return finished(started, code)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        return self.launch([*_ORCH, *words])

    def interrupted(
        self, number: signal.Signals, boundary: Boundary, file: Path, count: int = 1
    ) -> subprocess.Popen[str]:
        """Start an apply of one file that sends itself a signal at a boundary."""
        driver = "tests.acceptance.interrupter"
        words = [number.name, boundary.name, str(count), str(file)]
        return self.launch([sys.executable, "-m", driver, *words])

    def launch(self, argv: Sequence[str]) -> subprocess.Popen[str]:
        """Start any program in the clone."""
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.repo,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a failed test has left running."""
        for process in self.started:
            with process:
                process.kill()

    def apply(self, code: int | None = 0) -> Done:
        """Apply all jobs without asking."""
        return self.orch("apply", "-auto-approve", code=code)

    def logs(self, *words: str, until: str = "\n") -> str:
        """What `orch logs` prints, as soon as this is in it."""
        found = ""

        def look() -> bool:
            nonlocal found
            found = self.orch("logs", *words).out
            return until in found

        wait_for(look, f"{until!r} in the logs")
        return found

    def assert_nothing_to_do(self) -> None:
        """The plan is empty."""
        planned = self.orch("plan", "-detailed-exitcode", code=None)
        assert planned.code == 0, planned.out + planned.err

    # -- the truth ----------------------------------------------------------------------------

    def live(self) -> list[Live]:
        """All tasks that run on the hosts that are up, by name."""
        found: list[Live] = []
        for host in self.hosts:
            if host.is_up:
                lines = host.sh(_TASKS).splitlines()
                found += [
                    Live(host=host.name, pid=int(pid), alloc=alloc, name=name)
                    for pid, alloc, name in map(str.split, lines)
                ]
        return sorted(found, key=lambda x: (x.name, x.alloc))

    def live_allocs(self, job: str = "") -> dict[str, str]:
        """Name → id of what runs, of all jobs or of one; nothing may run twice."""
        live = [x for x in self.live() if not job or x.name.startswith(f"{job}.")]
        names = {x.name: x.alloc for x in live}
        assert len(names) == len(live), live
        return names

    def records(self, pattern: str) -> str:
        """What files of orch's data directory hold, on all hosts."""
        command = f"cat /var/lib/orch/{pattern} 2>/dev/null || :"
        return "".join(h.sh(command) for h in self.hosts)

    def decided(self, job: str) -> JobState:
        """The job's records, open journals included, read beside the CLI."""
        cache = self.root / "reader"
        address = Address(url=str(self.ledger), cluster=self.cluster, cache=cache)
        return open_ledger(address).read().folded().job(job_key(job, "default"))

    def refs(self) -> str:
        """The refs of the ledger with their commits."""
        return self.git("for-each-ref", cwd=self.ledger)

    def runs(self) -> list[str]:
        """The runs that are left in the ledger."""
        return [x for x in self.refs().splitlines() if "/runs/" in x]

    def settle(self) -> None:
        """Return when each task `main` has printed something, as those of `web` do at last."""
        wait_for(lambda: not any(h.sh(_SILENT) for h in self.hosts), "what tasks print")

    def on_hosts(self) -> dict[str, tuple[str, str]]:
        """All files and processes of each host, to compare; tasks have printed what they will."""
        self.settle()
        for host in self.hosts:  # a step whose client has left may be on its way
            host.sh(f"[ ! -e {_LOCK} ] || flock {_LOCK} true")
        return {h.name: (h.sh(_FILES), h.sh(_PROCESSES)) for h in self.hosts}

    def everything(self) -> Mapping[str, object]:
        """Hosts, ledger and clone, byte for byte, to compare."""
        return {
            **self.on_hosts(),
            "ledger": listing(self.ledger),
            "clone": listing(self.repo),
        }


def finished(process: subprocess.Popen[str], code: int | None = 0) -> Done:
    """Wait for a command's end; it must exit with `code` unless that is None."""
    try:
        out, err = process.communicate(timeout=_SECONDS)
    finally:
        process.kill()
    done = Done(code=process.returncode, out=out, err=err)
    assert "Traceback" not in err, err
    json_output.check(_words(process), out)
    if code is not None:
        assert done.code == code, f"exit {done.code}, not {code}\n{out}\n{err}"
    return done


def _words(process: subprocess.Popen[str]) -> Sequence[str]:
    """The words of a process that runs orch; none for any other."""
    argv = [str(w) for w in process.args] if isinstance(process.args, Sequence) else []
    return argv[len(_ORCH) :] if argv[: len(_ORCH)] == _ORCH else []


def listing(top: Path) -> dict[str, tuple[object, ...]]:
    """All files below a folder with mode, time of change and content."""
    return {str(path.relative_to(top)): _entry(path) for path in sorted(top.rglob("*"))}


def _entry(path: Path) -> tuple[object, ...]:
    stat = path.lstat()
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return stat.st_mode, stat.st_mtime_ns, stat.st_ino, content
