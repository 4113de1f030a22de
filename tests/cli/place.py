"""A user's place: a clone with job specs, a bare ledger, and a host that runs one of the jobs."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from executors.dev import DevHost
from gitops.cli import program
from tests import json_output

CLUSTER = "bad-input"
ORCH = (sys.executable, "-c", "from gitops.main import main; main()")
_NOISE = re.compile(r"Traceback|\[Errno|Error\(|object at 0x|\x1b|codec can't|\bb'|None\b")
ROOT = Path(__file__).parents[2]

CONFIG = f"""\
cluster = "{CLUSTER}"
jobs = ["jobs"]
inventory = "inventory.yml"

[ledger]
url = "../ledger.git"
"""

# Silent, so that nothing on the host changes while a test looks at it.
WEB = """\
job "web" {
  update {
    min_healthy_time = "0s"
    healthy_deadline = "90s"
  }
  group "app" {
    network {
      port "http" { static = @port@ }
    }
    task "server" {
      driver       = "raw_exec"
      kill_timeout = "1s"
      config {
        command = "sleep"
        args    = ["600"]
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
"""

# What a developer has told ssh of this machine is not for tests.
NO_SSH_CONFIG = {"ORCH_SSH_CONFIG": "none"}


def job(name: str = "bad", *, group: str = "", task: str = "", config: str = "") -> str:
    """A sound job of one sleeping task, with more lines where a test wants them."""
    return f"""\
job "{name}" {{
  group "g" {{
    {group}
    task "t" {{
      driver = "raw_exec"
      {task}
      config {{
        {config or 'command = "sleep"'}
        args    = ["600"]
      }}
      resources {{
        cpu    = 20
        memory = 16
      }}
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class Place:
    """One test's own copy of the clone and the ledger. The host is shared."""

    root: Path
    host: Path
    environment: dict[str, str]
    capsys: pytest.CaptureFixture[str] | None = None
    monkeypatch: pytest.MonkeyPatch | None = None
    cwd: Path = field(init=False)

    def __post_init__(self) -> None:
        self.cwd = self.clone

    @property
    def clone(self) -> Path:
        return self.root / "clone"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.git"

    @property
    def state(self) -> str:
        """The ledger's newest decision."""
        ref = f"refs/orch/{CLUSTER}/state"
        return self.git("rev-parse", ref, cwd=self.ledger).strip()

    # -- making trouble ---------------------------------------------------------------------------

    def write(self, name: str, text: str | bytes) -> None:
        path = self.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, name: str, text: str | bytes) -> None:
        self.write(name, text)
        self.git("add", name)
        self.git("commit", "-qm", f"Change {name}")

    def inventory(self, text: str | bytes) -> None:
        """Use the clone's own inventory instead of the host's."""
        self.environment.pop("ORCH_INVENTORY", None)
        self.commit("inventory.yml", text)

    def git(self, *args: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ("git", *args), cwd=cwd or self.clone, check=True, capture_output=True, text=True
        )
        return done.stdout

    # -- running ----------------------------------------------------------------------------------

    def orch(self, *argv: str) -> Said:
        """Run a command in this process."""
        assert self.capsys is not None
        assert self.monkeypatch is not None
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.chdir(self.cwd)
            for name in [n for n in os.environ if n.startswith(("ORCH_", "NOMAD_"))]:
                patch.delenv(name)
            for name, value in {**NO_SSH_CONFIG, **self.environment}.items():
                patch.setenv(name, value)
            code = program.run(argv)
        said = self.capsys.readouterr()
        json_output.check(argv, said.out)
        return Said(code, said.out, said.err)

    def process(self, *argv: str, **more: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own; its input is empty."""
        return subprocess.Popen(
            (*ORCH, *argv),
            cwd=self.cwd,
            env=process_environment({**self.environment, **more}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def spawn(self, *argv: str, **more: str) -> Said:
        """Run a command as a process of its own to its end."""
        with self.process(*argv, **more) as process:
            out, err = process.communicate(timeout=300)
        json_output.check(argv, out)
        return Said(process.returncode, out, err)

    def on_a_terminal(
        self, *argv: str, typed: Sequence[tuple[bytes, bytes]] = ()
    ) -> tuple[int, bytes]:
        """Run a command on a terminal; return its end, and all it said.

        Of `typed` each word is typed when its cue has been said.
        """
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.cwd)
            environment = {**process_environment(self.environment), "TERM": "vt100"}
            os.execve(ORCH[0], [*ORCH, *argv], environment)  # noqa: S606 - a child of its own
        said, words_left = b"", list(typed)
        try:
            while chunk := os.read(fd, 1000):
                said += chunk
                while words_left and words_left[0][0] in said:
                    os.write(fd, words_left.pop(0)[1])
        except OSError:
            pass
        os.close(fd)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), said

    # -- looking ----------------------------------------------------------------------------------

    def print_of(self, *more: Path) -> dict[str, str]:
        """A digest of every file of the clone, the ledger, the host's data and more places."""
        places = (self.clone, self.ledger, self.host, *more)
        return {k: v for place in places for k, v in digests(place).items()}


def environment_beside(root: Path, inventory: Path) -> dict[str, str]:
    """What every command finds: a home and a cache below `root`, and that inventory."""
    return {
        "HOME": str(root / "home"),
        "XDG_CACHE_HOME": str(root / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "SSH_AUTH_SOCK": "",
        "ORCH_INVENTORY": str(inventory),
    }


def place_on(dev: DevHost, root: Path) -> Place:
    """The place below `root`, made or not, whose jobs run on that host."""
    environment = environment_beside(root, dev.inventory)
    return Place(root=root, host=dev.data_dir, environment=environment)


def made(place: Place, files: Mapping[str, str]) -> Place:
    """Make the place: a home, and a clone with these files in it."""
    (place.root / "home").mkdir()
    place.clone.mkdir()
    place.git("init", "-qb", "main")
    place.git("config", "user.name", "Test")
    place.git("config", "user.email", "test@example.invalid")
    for name, text in files.items():
        place.write(name, text)
    place.git("add", ".")
    place.git("commit", "-qm", "First")
    return place


def process_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, without settings of orch that a developer may have."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ORCH_", "NOMAD_"))}
    return {**kept, **NO_SSH_CONFIG, "PYTHONPATH": str(ROOT), **changes}


def digests(place: Path) -> dict[str, str]:
    """Path to digest of contents, of all files below."""
    found: dict[str, str] = {}
    for path in sorted(place.rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)  # noqa: PTH115 - text, as it is
        elif path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def ended(host: Path) -> int:
    """Kill what is left of a host's tasks, as after a failed test; return how many there were."""
    count = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            where = os.readlink(entry / "cwd")  # noqa: PTH115 - text, as it is
            if f"{host}/" in f"{where}/" or f"{host}/".encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
                count += 1
    return count


def copied(template: Path, root: Path, parts: Sequence[str] = ("clone", "ledger.git")) -> None:
    """Copy the parts of a place that a test may spoil."""
    for part in parts:
        shutil.copytree(template / part, root / part, symlinks=True)


def last(text: str) -> str:
    """The last line: on a slow machine progress comes before it."""
    return text.splitlines()[-1]


def assert_fit_to_read(said: Said) -> None:
    """One error, without Python's noise, terminal escapes or lines said twice."""
    for text in (said.out, said.err):
        assert not _NOISE.search(text), text
    lines = [line.strip() for line in said.err.splitlines() if line.strip(" ^|-")]
    assert len(lines) == len(set(lines)), said.err
    # What to do is prose for a terminal; what is wrong may name long paths.
    _, _, hint = said.err.partition("\n\n")
    prose = [line for line in hint.splitlines() if not line.startswith(" ") and " " in line]
    assert max((len(line) for line in prose), default=0) <= 80, said.err
