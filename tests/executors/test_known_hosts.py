"""Looking up host keys in known_hosts texts, as OpenSSH does."""

from __future__ import annotations

import base64
import hmac
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.known_hosts import KnownHosts, Trust, fingerprint

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmpzXcwpZLQ1c+2Rw3XH8cR5tm1kz+3kyjSgkHeRk0N"


def found(text: str, address: str, port: int = 22) -> list[str]:
    known = KnownHosts()
    known.add(text, "f")
    return [k.source for k in known.keys(address, port)]


@pytest.mark.parametrize(
    ("text", "address", "port", "sources"),
    [
        (f"h1 {KEY}", "h1", 22, ["f:1"]),
        (f"H1 {KEY} a comment", "h1", 22, ["f:1"]),
        (f"h1,10.0.0.1 {KEY}", "10.0.0.1", 22, ["f:1"]),
        (f"h1 {KEY}\n\n# h1 {KEY}\nh1 {KEY}", "h1", 22, ["f:1", "f:4"]),
        (f"h1 {KEY}", "h1", 2222, []),
        (f"[h1]:2222 {KEY}", "h1", 2222, ["f:1"]),
        (f"[h1]:2222 {KEY}", "h1", 22, []),
        (f"*.example.org,!db.* {KEY}", "web.example.org", 22, ["f:1"]),
        (f"*.example.org,!db.* {KEY}", "db.example.org", 22, []),
        (f"[h?]:2222 {KEY}", "h1", 2222, ["f:1"]),
        (f"!h1 {KEY}", "h2", 22, []),
        (f"@cert-authority * {KEY}", "h1", 22, ["f:1"]),
        (f"@wrong h1 {KEY}", "h1", 22, []),
        ("h1 ssh-ed25519", "h1", 22, []),
        (f"|1|broken {KEY}", "h1", 22, []),
        (f"|1|%%|%% {KEY}", "h1", 22, []),
        (f"h2 {KEY} a\u2028h1 {KEY}\x0ch1 {KEY}\r\nh1 {KEY}\r\n", "h1", 22, ["f:2"]),
        ("h1 1024 35 123456789", "h1", 22, []),
        ("h1 ssh-ed25519 AAA", "h1", 22, []),
        (f"h1 {KEY[:-8]}%%%%", "h1", 22, []),
        (f"h1 ssh-rsa {KEY.split()[1]}\nh1 {KEY}", "h1", 22, ["f:2"]),
    ],
)
def test_entries(text: str, address: str, port: int, sources: list[str]) -> None:
    assert found(text, address, port) == sources


def test_markers_are_kept() -> None:
    known = KnownHosts()
    known.add(f"@revoked h1 {KEY}\n@cert-authority h1 {KEY} c\nh1 {KEY}", "f")
    trusts = [k.trust for k in known.keys("h1", 22)]
    assert trusts == [Trust.REVOKED, Trust.CA, Trust.HOST]


def test_names_hashed_by_openssh_are_found(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"h1,10.0.0.1 {KEY}\n[h2]:2222 {KEY}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    text = file.read_text()
    # Hashes are chance, and may hold any two letters.
    assert all(line.startswith("|1|") for line in text.splitlines())
    assert len(found(text, "h1")) == 1
    assert len(found(text, "10.0.0.1")) == 1
    assert len(found(text, "h2", 2222)) == 1
    assert found(text, "h2") == []
    known = KnownHosts()
    known.add(text, "f")
    assert [len(known.named(name)) for name in ("h1", "h2", "10.0.0.1", "h1")] == [1, 0, 1, 1]


def test_fingerprints_are_openssh_s(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"{KEY}\n")
    said = subprocess.run(["ssh-keygen", "-lf", str(file)], check=True, capture_output=True)
    assert fingerprint(KEY) == said.stdout.decode().split()[1]


def hashed(name: str) -> str:
    """A name as ssh itself hashes it when it adds a key; ssh-keygen makes it small first."""
    digest = hmac.digest(b"salt", name.encode(), "sha1")
    return "|1|" + "|".join(base64.b64encode(part).decode() for part in (b"salt", digest))


def test_hashed_aliases_are_found_as_they_are_spelt() -> None:
    known = KnownHosts()
    known.add(f"{hashed('Web')} {KEY}\n{hashed('web')} {KEY}\n", "f")
    assert [len(known.named(name)) for name in ("Web", "web", "WEB", "Web")] == [2, 1, 1, 2]


@given(st.text(alphabet=" |1@#*!,[]:=hA\n", max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(found(text, "h1"), list)
