"""What key files say of themselves without a passphrase, a security key or an agent."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executors.key_files import certificate_beside, certified_key, read_certificate, read_key
from tests.executors.fido_agent import FidoAgent, string


def new_key(path: Path, *more: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret words", "-f", str(path), *more]
    subprocess.run(command, check=True)
    return path


def public(path: Path) -> bytes:
    return base64.b64decode(path.with_name(f"{path.name}.pub").read_text().split()[1])


def test_a_locked_key_tells_its_public_half(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    expected = public(key)
    key.with_name("key.pub").unlink()
    found = read_key(str(key))
    assert (found.key, found.public, found.locked) == (None, expected, True)
    assert found.trouble == f"{key} is encrypted"


def test_a_locked_key_of_the_old_form_has_it_beside(tmp_path: Path) -> None:
    key = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "secret words", "-f", str(key)]
    subprocess.run(command, check=True)
    assert (read_key(str(key)).public, read_key(str(key)).locked) == (public(key), True)
    key.with_name("key.pub").unlink()
    assert (read_key(str(key)).public, read_key(str(key)).locked) == (b"", True)


def test_a_key_that_is_gone_may_have_left_its_public_half(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    key.unlink()
    assert read_key(str(key)).public == public(key)
    assert read_key(f"{key}.pub").public == public(key)


def test_the_handle_of_a_security_key_is_told_from_a_key(tmp_path: Path) -> None:
    blob = FidoAgent(tmp_path / "agent").blob
    inside = b"openssh-key-v1\0" + string(b"none") * 2 + string(b"") + b"\0\0\0\1" + string(blob)
    text = base64.encodebytes(inside + string(b"handle")).decode()
    file = tmp_path / "sk"
    file.write_text(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}-----END OPENSSH PRIVATE KEY-----\n"
    )
    file.chmod(0o600)
    found = read_key(str(file))
    assert (found.key, found.public) == (None, blob)
    assert "handle of a FIDO key" in found.trouble


def test_a_certificate_tells_whose_it_is(tmp_path: Path) -> None:
    authority, key = tmp_path / "authority", new_key(tmp_path / "key")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(authority)], check=True
    )
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "x", f"{key}.pub"]
    subprocess.run(command, check=True, capture_output=True)
    for path in (key, f"{key}.pub"):
        certificate = read_certificate(certificate_beside(str(path)))
        assert certificate is not None
        assert certified_key(certificate.public_data) == public(key)
    assert certified_key(public(key)) == b""


def test_a_key_in_the_home_of_nobody_is_not_there() -> None:
    found = read_key("~nobody.known/key")
    assert (found.absent, found.key, found.public) == (True, None, b"")
    assert found.trouble == "~nobody.known/key: ~nobody.known is nobody's home directory"
    assert read_certificate("~nobody.known/key-cert.pub") is None


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read_is_not_taken(tmp_path: Path, mode: int) -> None:
    key = new_key(tmp_path / "key")
    key.chmod(mode)
    found = read_key(str(key))
    assert "others can read it" in found.trouble
    assert found.remedy == f"Make it yours alone: chmod 600 {key}"


@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=60), st.sampled_from([b"", b"openssh-key-v1\0", b"sk-ssh-ed25519 "]))
def test_no_bytes_break_it(tmp_path: Path, data: bytes, start: bytes) -> None:
    file = tmp_path / "key"
    for content in (
        start + data,
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.b64encode(start + data) + b"\n",
    ):
        file.write_bytes(content)
        file.chmod(0o600)
        assert read_key(str(file)).key is None
        assert read_certificate(str(file)) is None
