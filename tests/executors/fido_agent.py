"""An ssh-agent with one FIDO key, as a security key behind an agent looks from here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KIND = b"sk-ssh-ed25519@openssh.com"
APPLICATION = b"ssh:"
_TOUCHED = b"\x01"
_LIST, _LISTED, _SIGN, _SIGNED, _FAILED = 11, 12, 13, 14, 5


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def strings(data: bytes, count: int) -> list[bytes]:
    out: list[bytes] = []
    for _ in range(count):
        length = int.from_bytes(data[:4], "big")
        out.append(data[4 : 4 + length])
        data = data[4 + length :]
    return out


@dataclass
class FidoAgent:
    """Signs as a touched security key does, and counts."""

    path: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    signatures: int = 0

    @property
    def blob(self) -> bytes:
        public = self.key.public_key().public_bytes_raw()
        return string(KIND) + string(public) + string(APPLICATION)

    @property
    def public_line(self) -> str:
        return f"{KIND.decode()} {base64.b64encode(self.blob).decode()}"

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        server = await asyncio.start_unix_server(self._serve, str(self.path))
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(4), "big")
                writer.write(string(self._answer(await reader.readexactly(length))))
        except asyncio.IncompleteReadError:
            writer.close()

    def _answer(self, request: bytes) -> bytes:
        if request[0] == _LIST:
            one = (1).to_bytes(4, "big")
            return bytes([_LISTED]) + one + string(self.blob) + string(b"a security key")
        if request[0] != _SIGN:
            return bytes([_FAILED])
        self.signatures += 1
        _, data = strings(request[1:], 2)
        end = _TOUCHED + self.signatures.to_bytes(4, "big")
        signed = hashlib.sha256(APPLICATION).digest() + end + hashlib.sha256(data).digest()
        return bytes([_SIGNED]) + string(string(KIND) + string(self.key.sign(signed)) + end)
