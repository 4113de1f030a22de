"""Runs the `git` program with a deadline and bounded output. Knows no repository layout.

The user's configuration is kept for what reaches a remote (credentials, ssh, proxies) and
overridden where it would change what is stored: hooks, signing, line ends, collection.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from planner.errors import OrchError

LOCAL_SECONDS = 60.0
REMOTE_SECONDS = 60.0
OUTPUT_LIMIT = 256 * 1024 * 1024
STDERR_LIMIT = 64 * 1024
_CHUNK = 64 * 1024
_ADVICE = (
    "fatal: Could not read from remote repository",
    "Please make sure you have the correct access rights",
    "and the repository exists",
)
_SHOWN = 400

_OVERRIDES = (
    "core.hooksPath=/dev/null",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.filesRefLockTimeout=2000",
    "core.packedRefsTimeout=5000",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "push.followTags=false",
    "push.recurseSubmodules=no",
    "push.useForceIfIncludes=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "color.ui=false",
    "fetch.writeCommitGraph=false",
    "transfer.advertiseSID=false",
)
# Set when orch itself runs from a hook; they would point every command at that repository.
_INHERITED = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DEFAULT_HASH",
    "GIT_EXTERNAL_DIFF",
    "GIT_TRACE",
)


class GitError(OrchError):
    """`git` could not be run, or ended with an error."""


class NoGitError(GitError):
    """`git` could not be run at all: nothing is known of the repository."""


class GitTimeoutError(GitError):
    """`git` did not end before its deadline and was killed: what it did is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended. `stderr` is cleaned for showing."""

    code: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Commands on one repository; `settings` are passed by the environment, never in argv."""

    directory: Path
    bare: bool = False
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    # set in git's environment, whatever the user has there
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, *args: str, stdin: bytes = b"", seconds: float = LOCAL_SECONDS) -> Completed:
        """Run ``git ARGS`` and return how it ended.

        Raises `GitTimeoutError` after `seconds`, `GitError` where it can't start or floods.
        """
        process = self._start(args)
        with process:
            pump = _Pump(process, stdin)
            try:
                pump.run(time.monotonic() + seconds)
            except BaseException:
                _kill(process)
                raise
            code = process.wait()
        return Completed(code=code, stdout=bytes(pump.stdout), stderr=shown(bytes(pump.stderr)))

    def out(self, *args: str, stdin: bytes = b"", seconds: float = LOCAL_SECONDS) -> bytes:
        """Like `run`, but return the output and raise `GitError` on any failure."""
        done = self.run(*args, stdin=stdin, seconds=seconds)
        if done.code != 0:
            raise GitError(f"git {args[0]} failed in {self.directory}: {done.stderr or done.code}")
        return done.stdout

    @contextmanager
    def conversation(self, *args: str) -> Generator[tuple[IO[bytes], IO[bytes]], None, None]:
        """Run a command that answers requests; yields (requests, answers) and ends it after."""
        process = self._start(args, stderr=subprocess.DEVNULL)
        if process.stdin is None or process.stdout is None:  # pragma: no cover - PIPE was asked
            raise GitError("no pipe to git")
        try:
            yield process.stdin, process.stdout
        finally:
            _kill(process)
            with suppress(BrokenPipeError):
                process.stdin.close()  # flushes what it never took
            with process:
                pass

    def _start(self, args: Sequence[str], stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        where = [f"--git-dir={self.directory}"] if self.bare else ["-C", str(self.directory)]
        overrides = [word for o in _OVERRIDES for word in ("-c", o)]
        try:
            return subprocess.Popen(
                ["git", *where, *overrides, *args],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**environment(self.settings), **self.variables},
                # Away from the terminal: nothing can ask there, and a deadline ends all of it.
                start_new_session=True,
            )
        except FileNotFoundError as e:
            raise NoGitError("the git program was not found", "install git and try again") from e
        except OSError as e:
            raise NoGitError(f"git could not be started: {e}") from e


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the process environment for git, with `settings` as configuration."""
    env = {k: v for k, v in os.environ.items() if k not in _INHERITED}
    env |= {"LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}
    env |= {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0"}
    for i, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{i}": key, f"GIT_CONFIG_VALUE_{i}": value}
    env["GIT_CONFIG_COUNT"] = str(len(settings))
    return env


class _Pump:
    """Moves bytes between us and a process until both its outputs are closed."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._process = process
        self._stdin = memoryview(stdin)
        self._selector = selectors.DefaultSelector()

    def run(self, until: float) -> None:
        with self._selector as selector:
            self._register(self._process.stdout, selectors.EVENT_READ, self._take_stdout)
            self._register(self._process.stderr, selectors.EVENT_READ, self._take_stderr)
            self._register(self._process.stdin, selectors.EVENT_WRITE, self._send)
            while len(selector.get_map()) > 0:
                ready = selector.select(max(0.0, until - time.monotonic()))
                if not ready and time.monotonic() >= until:
                    raise GitTimeoutError("git did not answer in time")
                for key, _ in ready:
                    key.data(key.fd)
        self._wait(until)

    def _register(self, stream: IO[bytes] | None, event: int, move: Callable[[int], None]) -> None:
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, event, move)

    def _wait(self, until: float) -> None:
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired as e:
            raise GitTimeoutError("git did not end in time") from e

    def _send(self, fd: int) -> None:
        try:
            sent = os.write(fd, self._stdin[:_CHUNK]) if self._stdin else 0
        except BrokenPipeError:
            sent = len(self._stdin)
        self._stdin = self._stdin[sent:]
        if not self._stdin and self._process.stdin is not None:
            self._selector.unregister(fd)
            self._process.stdin.close()

    def _take_stdout(self, fd: int) -> None:
        data = self._taken(fd)
        if len(self.stdout) + len(data) > OUTPUT_LIMIT:
            raise GitError(f"git printed more than {OUTPUT_LIMIT} bytes")
        self.stdout += data

    def _take_stderr(self, fd: int) -> None:
        data = self._taken(fd)
        self.stderr += data[: STDERR_LIMIT - len(self.stderr)]

    def _taken(self, fd: int) -> bytes:
        data = os.read(fd, _CHUNK)
        if not data:
            self._selector.unregister(fd)
        return data


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()


def shown(raw: bytes) -> str:
    """Return what a program said in one short line: no control characters, no credentials."""
    text = raw.decode("utf-8", "replace")
    lines = (re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", line).strip() for line in text.splitlines())
    text = re.sub(r"(\w+://)[^/\s@]*@", r"\1", "; ".join(line for line in lines if line))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def gist(text: str) -> str:
    """Return what `shown` gave without git's label and its standing advice."""
    kept = [p.removeprefix("fatal: ") for p in text.split("; ") if not p.startswith(_ADVICE)]
    return "; ".join(kept) or text


def redacted(url: str) -> str:
    """Return the address without credentials: the form for messages and for what is stored."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    user, host = parts.netloc.rsplit("@", 1)
    keep = f"{user.split(':', 1)[0]}@" if parts.scheme.endswith("ssh") else ""
    return urlunsplit(parts._replace(netloc=keep + host, query="", fragment=""))
