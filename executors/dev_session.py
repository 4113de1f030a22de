"""The embedded host's side of SSH: runs commands for one key, connects to loopback, cleans up."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from signal import Signals
from typing import Protocol, cast

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR, OPEN_ADMINISTRATIVELY_PROHIBITED

from executors.dev_terminal import TerminalCommand, TerminalProcess

_STDERR = 2


@dataclass(slots=True, kw_only=True)
class Shell:
    """Who may log in, what commands are started with, and what is open at the moment."""

    user: str
    key: asyncssh.SSHKey
    home: Path
    environment: Mapping[str, str]
    running: set[CommandSession] = field(default_factory=set["CommandSession"])
    connections: set[asyncssh.SSHServerConnection] = field(
        default_factory=set[asyncssh.SSHServerConnection]
    )


class DevServer(asyncssh.SSHServer):
    """Lets one user in with one key; forwards TCP to loopback addresses only."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count the connection."""
        self._conn = conn
        self._shell.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._shell.connections.discard(self._conn)

    def begin_auth(self, username: str) -> bool:
        """Ask everybody for a key."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Offer nothing else."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Accept the one key of the one user."""
        return username == self._shell.user and key.public_data == self._shell.key.public_data

    def session_requested(self) -> CommandSession:
        """Run commands."""
        return CommandSession(self._shell)

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> bool:
        """Connect to this machine, and to no other."""
        if _is_loopback(dest_host):
            return True
        text = f"only loopback addresses are reached from here, not {dest_host}"
        raise asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, text)

    def unix_connection_requested(self, dest_path: str) -> bool:
        """Connect to this machine's unix sockets: what the one user could do by a command."""
        return True


class CommandSession(asyncssh.SSHServerSession[bytes]):
    """One command: its three streams, signals from the client, and its end."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._command = ""
        self._early: list[bytes] = []
        self._process: _Process | TerminalProcess | None = None
        self._terminal: tuple[str, int, int] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._lost = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Keep the channel."""
        self._chan = chan

    def exec_requested(self, command: str) -> bool:
        """Accept any command; interactive shells are not asked for and not given."""
        self._command = command
        return True

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        """Give the command a terminal."""
        self._terminal = (term_type, term_size[0], term_size[1])
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Give the terminal its new size."""
        if isinstance(self._process, TerminalProcess):
            self._process.resize(width, height)

    def session_started(self) -> None:
        """Start the command."""
        self._starting = asyncio.create_task(self._start())
        self._shell.running.add(self)

    async def _start(self) -> None:
        try:
            process = await self._started(partial(self._shell.running.discard, self))
        except OSError as e:
            self._chan.write_stderr(f"{e}\n".encode())
            self._chan.exit(126)
            self._shell.running.discard(self)
            return
        self._process = process
        for data in self._early:
            process.feed(data)
        if self._lost:
            process.end()

    async def _started(self, ended: Callable[[], None]) -> _Process | TerminalProcess:
        chan = cast("_Channel", self._chan)
        if self._terminal is None:
            process = _Process(chan, ended)
            await asyncio.get_running_loop().subprocess_exec(
                lambda: process,
                "/bin/sh",
                "-c",
                self._command,
                cwd=self._shell.home,
                env=self._shell.environment,
                start_new_session=True,
            )
            return process
        term, columns, rows = self._terminal
        wanted = TerminalCommand(
            command=self._command,
            term=term,
            columns=columns,
            rows=rows,
            cwd=self._shell.home,
            environment=self._shell.environment,
        )
        in_terminal = TerminalProcess(chan, ended)
        await in_terminal.start(wanted)
        return in_terminal

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Hand input to the command, or keep it until the command has started."""
        if self._process is None:
            self._early.append(data)
        else:
            self._process.feed(data)

    def eof_received(self) -> bool:
        """End the command's input, and keep the channel open for its output."""
        self.data_received(b"", None)
        return True

    def signal_received(self, signal: str) -> None:
        """Pass a signal on to the command's process group."""
        if self._process is not None:
            self._process.signal(signal)

    def pause_writing(self) -> None:
        """Stop reading output while the client lags behind."""
        if self._process is not None:
            self._process.pause_output()

    def resume_writing(self) -> None:
        """Read output again."""
        if self._process is not None:
            self._process.resume_output()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what the client no longer waits for; tasks have left its process group."""
        self._lost = True
        if self._process is not None:
            self._process.end()

    async def ended(self) -> None:
        """Wait until the command has been reaped; call after the channel was lost."""
        if self._starting is not None:
            await self._starting
        if self._process is not None:
            self._process.end()
            await self._process.reaped.wait()


class _Channel(Protocol):
    """What is used of the library's channels, whose own types come out unknown."""

    def write(self, data: bytes, datatype: int | None = None) -> None: ...

    def exit(self, status: int) -> None: ...

    def exit_with_signal(self, signal: str) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Process(asyncio.SubprocessProtocol):
    """Pumps between a process and a channel. It ends when the process and its pipes have ended."""

    def __init__(self, chan: _Channel, ended: Callable[[], None]) -> None:
        self._chan = chan
        self._ended = ended
        self.reaped = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._chan.write(data, EXTENDED_DATA_STDERR if fd == _STDERR else None)

    def pause_writing(self) -> None:
        self._chan.pause_reading()

    def resume_writing(self) -> None:
        # not at once: input that came in here, in the midst of the pipe's flushing, would be lost
        asyncio.get_running_loop().call_soon(self._chan.resume_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        status = self._transport.get_returncode() or 0
        with contextlib.suppress(OSError):
            if status < 0:
                self._chan.exit_with_signal(Signals(-status).name.removeprefix("SIG"))
            else:
                self._chan.exit(status)
        self._transport.close()
        self.reaped.set()
        self._ended()

    def feed(self, data: bytes) -> None:
        stdin = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if stdin is None or stdin.is_closing():
            return
        if data:
            stdin.write(data)
        else:
            stdin.close()

    def signal(self, name: str) -> None:
        if not self.reaped.is_set():  # what the command left behind may still hold its pipes
            with contextlib.suppress(KeyError, ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), Signals[f"SIG{name}"])

    def pause_output(self) -> None:
        for pipe in self._outputs():
            pipe.pause_reading()

    def resume_output(self) -> None:
        for pipe in self._outputs():
            pipe.resume_reading()

    def _outputs(self) -> list[asyncio.ReadTransport]:
        pipes = (self._transport.get_pipe_transport(fd) for fd in (1, _STDERR))
        return [cast("asyncio.ReadTransport", p) for p in pipes if p and not p.is_closing()]

    def end(self) -> None:
        self.signal("KILL")
        for fd in (0, 1, _STDERR):
            if (pipe := self._transport.get_pipe_transport(fd)) is not None:
                pipe.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
