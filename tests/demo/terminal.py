"""A shell session that is typed by a program: real commands, their output as it comes."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

# Seconds that a command gets to end after it was asked to.
_PATIENCE = 60.0
# Leaves the shell's directory and variables for the next command, and the command's exit code.
_EPILOGUE = '\n_code=$?; { pwd; env -0; } >"$_SESSION"; exit $_code'
_SHELL = ("/bin/sh", "-c")


@dataclass
class Terminal:
    """Runs commands one after the other as one session: `cd` and `export` last.

    `out` is told of everything that a person would see. The words of `shell` come before each
    script.
    """

    session: Path
    cwd: Path
    environment: dict[str, str]
    out: Callable[[str], None]
    shell: tuple[str, ...] = _SHELL
    running: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    def run(self, command: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and output."""
        self.out(f"$ {command}\n")
        process = self._start(command + _EPILOGUE)
        text = "".join(self._shown(process))
        code = process.wait()
        _stream(process).close()
        self.running.remove(process)
        self._take_over()
        return code, text

    def run_in_colour(self, command: str, columns: int) -> tuple[int, str]:
        """Run a command whose stdout alone is a terminal; return its exit code and all output."""
        self.out(f"$ {command}\n")
        ours, theirs = pty.openpty()
        tty.setraw(theirs)  # line ends as they are written
        environment = {**self.environment, "TERM": "xterm-256color", "COLUMNS": str(columns)}
        process = subprocess.Popen(
            [*self.shell, command],
            cwd=self.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(theirs)
        with process:
            text = b"".join(_as_it_comes(process, ours)).decode()
        os.close(ours)
        code = process.returncode
        self.out(text)
        return code, text

    def start(self, command: str, until: str) -> str:
        """Run a command in the background; return its output up to the line with `until`."""
        self.out(f"$ {command}\n")
        process = self._start("exec " + command.removesuffix("&"))
        text = ""
        for line in self._shown(process):
            text += line
            if until in line:
                break
        return text

    def end(self) -> None:
        """End everything that still runs, the newest first."""
        for process in reversed(self.running):
            for way in (signal.SIGINT, signal.SIGKILL):
                if process.poll() is None:
                    os.killpg(process.pid, way)
                    _wait(process)
            _stream(process).close()
        self.running.clear()

    def _start(self, script: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self.shell, script],
            cwd=self.cwd,
            env={**self.environment, "_SESSION": str(self.session)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A Ctrl-C is for the program that types.
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def _shown(self, process: subprocess.Popen[str]) -> Iterator[str]:
        for line in _stream(process):
            self.out(line)
            yield line

    def _take_over(self) -> None:
        if not self.session.exists():
            return
        cwd, _, variables = self.session.read_text().partition("\n")
        self.session.unlink()
        self.cwd = Path(cwd)
        pairs = (v.partition("=") for v in variables.split("\0") if v)
        self.environment = {k: v for k, _, v in pairs if k not in ("_", "_SESSION", "_code")}


def _as_it_comes(process: subprocess.Popen[bytes], stdout: int) -> Iterator[bytes]:
    """Yield what comes on both streams; of what is there already, first what is on stderr."""
    if process.stderr is None:
        raise ValueError("started without a pipe")
    streams = [process.stderr.fileno(), stdout]
    while streams:
        ready, _, _ = select.select(streams, [], [])
        stream = next(s for s in streams if s in ready)
        data = b""
        # a terminal whose other end is closed is an error to read
        with suppress(OSError):
            data = os.read(stream, 65536)
        if data:
            yield data
        else:
            streams.remove(stream)


def _stream(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdout is None:
        raise ValueError("started without a pipe")
    return process.stdout


def _wait(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"demo: process {process.pid} does not end; killing it\n")
