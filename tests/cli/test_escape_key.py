"""The escape key, as ssh and Nomad have it."""

from __future__ import annotations

import pytest

from gitops.cli.escape_key import EscapeKey


@pytest.mark.parametrize(
    ("typed", "passed", "leaves"),
    [
        (b"ls\r", b"ls\r", False),
        (b"~.", b"", True),
        (b"ls\r~.more", b"ls\r", True),
        (b"ls\n~.", b"ls\n", True),
        (b"cd ~.\r", b"cd ~.\r", False),
        (b"~~.\r", b"~.\r", False),
        (b"~/bin/x\r", b"~/bin/x\r", False),
        (b"~\r~.", b"~\r", True),
        (b"\x00\xff", b"\x00\xff", False),
    ],
)
def test_what_is_handed_on(typed: bytes, passed: bytes, leaves: bool) -> None:
    assert EscapeKey().passed(typed) == (passed, leaves)
    slowly = EscapeKey()
    out, left = b"", False
    for byte in typed:
        if not left:
            more, left = slowly.passed(bytes([byte]))
            out += more
    assert (out, left) == (passed, leaves)


def test_another_key_or_none() -> None:
    assert EscapeKey("%").passed(b"~.\r%.") == (b"~.\r", True)
    assert EscapeKey("").passed(b"~.") == (b"~.", False)


def test_a_key_that_is_held_back_is_not_lost() -> None:
    key = EscapeKey()
    assert key.passed(b"\r~") == (b"\r", False)
    assert key.rest() == b"~"
    assert key.rest() == b""
