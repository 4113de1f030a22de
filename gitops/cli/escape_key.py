"""The key that leaves a terminal on a host: ``~.`` at the beginning of a line. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "~"
_LEAVE = ord(".")
_LINE_ENDS = b"\r\n"


@dataclass(slots=True)
class EscapeKey:
    """Looks through what is typed. Twice the key is the key itself; an empty one leaves nothing."""

    key: str = DEFAULT
    _at_start: bool = True
    _is_held: bool = False

    def passed(self, typed: bytes) -> tuple[bytes, bool]:
        """Return what is to be handed on, and whether to leave: what came after that is dropped."""
        if not self.key:
            return typed, False
        out = bytearray()
        for byte in typed:
            if self._is_held:
                self._is_held = False
                if byte == _LEAVE:
                    return bytes(out), True
                if byte != ord(self.key):
                    out.append(ord(self.key))
            elif self._at_start and byte == ord(self.key):
                self._is_held = True
                continue
            out.append(byte)
            self._at_start = byte in _LINE_ENDS
        return bytes(out), False

    def rest(self) -> bytes:
        """Return what is held back, when input has ended."""
        held, self._is_held = self._is_held, False
        return self.key.encode() if held else b""
