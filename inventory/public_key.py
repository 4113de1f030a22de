"""Public keys as OpenSSH writes them: a type, and the key in base64, which names the type again."""

from __future__ import annotations

import base64


def is_public_key(kind: str, data: str) -> bool:
    """Whether `data` is a key of the type `kind`, as far as it says so itself."""
    try:
        raw = base64.b64decode(data, validate=True)
        name = kind.encode("ascii")
    except ValueError:
        return False
    length = int.from_bytes(raw[:4], "big")
    return raw[4 : 4 + length] == name and len(raw) > 4 + length
