"""`orch dev`: a host inside this process, on 127.0.0.1, for one key. Nothing else knows of it."""

from __future__ import annotations

import asyncio
import fcntl
import getpass
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from planner.errors import OrchError

if TYPE_CHECKING:
    import asyncssh

    from executors.dev_session import Shell

ADDRESS = "127.0.0.1"
HOST = "dev"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class _Files:
    directory: Path

    @property
    def inventory(self) -> Path:
        return self.directory / "inventory.yml"

    @property
    def key(self) -> Path:
        return self.directory / "id_ed25519"

    @property
    def lock(self) -> Path:
        return self.directory / "dev.lock"

    @property
    def data(self) -> Path:
        return self.directory / "data"


class DevHost:
    """An SSH server in this process, with its key, inventory and data in one directory.

    Used as a context manager: inside it, `inventory` names a file by which orch reaches the host
    ``dev``. What runs on the host outlives it, and is there again for the next one in the same
    directory. `port` 0 takes any free port.
    """

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        self._files = _Files(directory.absolute())
        self._wanted_port = port
        self._lock: int | None = None
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._shell: Shell | None = None

    @property
    def inventory(self) -> Path:
        """The inventory file."""
        return self._files.inventory

    @property
    def data_dir(self) -> Path:
        """Where the host keeps records and allocations."""
        return self._files.data

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; 0 while it does not run."""
        return self._acceptor.get_port() if self._acceptor else 0

    async def __aenter__(self) -> Self:
        """Start; an `OrchError` says who else runs there, or that the port is taken."""
        self._files.data.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._files.lock)
        try:
            await self._listen()
        except BaseException:
            self._unlock()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening, hang up, and end commands still running; tasks go on."""
        if self._acceptor:
            self._acceptor.close()
        await self.hang_up()
        if self._acceptor:
            await self._acceptor.wait_closed()
            self._acceptor = None
        self._unlock()

    async def hang_up(self) -> None:
        """Cut every connection, as a network would; the host goes on listening."""
        if self._shell is None:
            return
        connections = list(self._shell.connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()
        await asyncio.gather(*(session.ended() for session in list(self._shell.running)))

    async def _listen(self) -> None:
        import asyncssh

        from executors.dev_session import DevServer, Shell

        host_key = _new_key()
        self._shell = shell = Shell(
            user=getpass.getuser(),
            key=_client_key(self._files.key),
            home=Path.home(),
            environment=_environment(),
        )
        try:
            self._acceptor = await asyncssh.listen(
                ADDRESS,
                self._wanted_port,
                server_factory=lambda: DevServer(shell),
                server_host_keys=[host_key],
                config=None,
                encoding=None,
                line_editor=False,
                agent_forwarding=False,
                gss_host=None,
                password_auth=False,
                kbdint_auth=False,
            )
        except OSError as e:
            where = f"{ADDRESS} port {self._wanted_port}"
            hint = "Give another port, or none for any free one."
            raise OrchError(f"can't listen on {where}: {e.strerror or e}", hint) from e
        public = host_key.export_public_key("openssh").decode().split()
        _write(self._files.inventory, self._inventory_text(" ".join(public[:2])), 0o644)

    def _inventory_text(self, host_key: str) -> str:
        variables: dict[str, str | int] = {
            "ansible_host": ADDRESS,
            "ansible_port": self.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self._files.key),
            "orch_host_key": host_key,
            "orch_data_dir": str(self._files.data),
            "orch_address": ADDRESS,
        }
        lines = [f"      {name}: {json.dumps(value)}\n" for name, value in variables.items()]
        head = "# Written by `orch dev` at each start; good while it runs.\nall:\n  hosts:\n"
        return f"{head}    {HOST}:\n{''.join(lines)}"

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(path: Path) -> int:
    """Hold the lock of a directory for as long as the returned file is open."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        holder = os.read(lock, 20).decode(errors="replace").strip()
        os.close(lock)
        who = f" (process {holder})" if holder.isdigit() else ""
        hint = f"Use it: export ORCH_INVENTORY={path.with_name('inventory.yml')}; or end it first."
        raise OrchError(f"a host runs in {path.parent} already{who}", hint) from e
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _new_key() -> asyncssh.SSHKey:
    import asyncssh

    # the library's keyword arguments are untyped
    generate = cast("Callable[..., asyncssh.SSHKey]", cast("Any", asyncssh).generate_private_key)
    return generate("ssh-ed25519", comment="orch dev")


def _client_key(path: Path) -> asyncssh.SSHKey:
    """Return the key that may log in: the one of the last start, so that it stays good."""
    import asyncssh

    try:
        return asyncssh.read_private_key(path)
    except (OSError, ValueError, asyncssh.KeyImportError):
        key = _new_key()
        _write(path, key.export_private_key("openssh").decode(), 0o600)
        return key


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file as a whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _environment() -> dict[str, str]:
    """Return what a login by sshd would give: nothing of this process's own variables."""
    user = getpass.getuser()
    path = os.environ.get("PATH", _PATH)
    return {
        "HOME": str(Path.home()),
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/sh",
        "PATH": path,
        # a host for trying things out leaves no units in the system
        "ORCH_NO_SYSTEMD": "1",
    }
