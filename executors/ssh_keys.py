"""The user's private keys, each loaded once. Never asks for a passphrase, never shows a key."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from executors.printable import printable
from executors.transport import HostError, HostFault

_OPENSSH = b"openssh-key-v1\0"
_DEFAULTS = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True, slots=True)
class Identity:
    """The keys to offer to a host, whether an agent is asked too, and words for both."""

    keys: tuple[asyncssh.SSHKey, ...]
    agent: str | None
    description: str


class KeyRing:
    """Loads keys by path, once each; a second host with the same key costs nothing."""

    def __init__(self, agent: str | None) -> None:
        self._agent = agent
        self._loaded: dict[str, Identity] = {}

    def identity(self, host: str, path: str) -> Identity:
        """Return what to offer: the key at `path`, else the default keys and the agent's.

        Raises a `HostError` (`KEY_FILE`) that names the file and what is wrong with it.
        """
        if path not in self._loaded:
            self._loaded[path] = self._file(host, path) if path else self._defaults()
        return self._loaded[path]

    def _file(self, host: str, path: str) -> Identity:
        file = Path(path).expanduser()
        try:
            return Identity((_read(file),), None, f"key {path}")
        except _EncryptedError as e:
            return self._encrypted(host, path, e)
        except OSError as e:
            hint = "Check ansible_ssh_private_key_file in the inventory."
            detail = f"{path}: {e.strerror or e}"
            raise HostError(host, HostFault.KEY_FILE, detail, hint) from e
        except _ExposedError as e:
            hint = f"Make it yours alone: chmod 600 {path}"
            raise HostError(host, HostFault.KEY_FILE, f"{path}: {e}", hint) from e
        except (asyncssh.KeyImportError, ValueError) as e:
            detail = f"{path} is not a private key: {printable(str(e))}"
            hint = "A private key file begins with '-----BEGIN'; the .pub file is the public one."
            raise HostError(host, HostFault.KEY_FILE, detail, hint) from e

    def _encrypted(self, host: str, path: str, error: Exception) -> Identity:
        if self._agent:
            return Identity((), self._agent, f"the agent's keys ({path} is encrypted)")
        hint = f"Load it into an agent: eval $(ssh-agent) && ssh-add {path}"
        detail = f"{path} is encrypted, and no agent runs"
        raise HostError(host, HostFault.KEY_FILE, detail, hint) from error

    def _defaults(self) -> Identity:
        keys: list[asyncssh.SSHKey] = []
        names: list[str] = []
        for name in _DEFAULTS:
            try:
                keys.append(_read(Path("~/.ssh").expanduser() / name))
            except (OSError, ValueError, asyncssh.KeyImportError, _UnusableError):
                continue  # as ssh does: a default key that is of no use is not offered
            names.append(f"~/.ssh/{name}")
        names += ["the agent's keys"] if self._agent else []
        return Identity(tuple(keys), self._agent, ", ".join(names) or "no key: none was found")


class _UnusableError(Exception):
    """A private key file that is not taken."""


class _ExposedError(_UnusableError):
    """Others can read it."""


class _EncryptedError(_UnusableError):
    """It takes a passphrase, and nobody is asked for one here."""


def _read(file: Path) -> asyncssh.SSHKey:
    status = file.stat()
    if status.st_uid == os.getuid() and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(status.st_mode)
        raise _ExposedError(f"others can read it (mode {mode:04o})")
    data = file.read_bytes()
    if _is_encrypted(data):
        raise _EncryptedError
    return asyncssh.import_private_key(data)


def _is_encrypted(data: bytes) -> bool:
    """Whether a key file says of itself that it takes a passphrase."""
    if b"ENCRYPTED" in data:
        return True
    body = b"".join(line for line in data.splitlines() if not line.startswith(b"-----"))
    try:
        raw = base64.b64decode(body)
    except binascii.Error:
        return False
    cipher = raw[len(_OPENSSH) + 4 :][: int.from_bytes(raw[len(_OPENSSH) :][:4], "big")]
    return raw.startswith(_OPENSSH) and cipher != b"none"
