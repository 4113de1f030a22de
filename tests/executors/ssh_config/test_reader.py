"""Files of ssh_config: which are read, which are refused, and that no text breaks the reader."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executors.ssh_config.errors import SshConfigError
from executors.ssh_config.reader import ConfigFile, read
from executors.ssh_config.resolve import SshConfig
from tests.executors.ssh_config.openssh import LOCAL, ME


def port(text: str, folder: Path, **more: bool) -> int:
    file = folder / "config"
    file.write_text(text)
    sections = read((ConfigFile(path=str(file), base=str(folder), **more),))
    return SshConfig(sections, LOCAL).resolve("h1").port


def test_a_file_that_is_needed_must_be_there(tmp_path: Path) -> None:
    absent = str(tmp_path / "none")
    assert read((ConfigFile(path=absent, needed=False),)) == ()
    with pytest.raises(SshConfigError, match="none: no such file"):
        read((ConfigFile(path=absent),))


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_a_private_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    assert port("Port 5\n", tmp_path, private=True) == 5
    (tmp_path / "config").chmod(mode)
    with pytest.raises(SshConfigError, match="others can write it") as caught:
        port("Port 5\n", tmp_path, private=True)
    assert "chmod 600" in caught.value.hint
    assert port("Port 6\n", tmp_path) == 6


def test_the_user_s_file_comes_before_that_of_all(tmp_path: Path) -> None:
    for name, text in (("own", "Port 5\n"), ("all", "Port 6\nUser u\n")):
        (tmp_path / name).write_text(text)
    sections = read(tuple(ConfigFile(path=str(tmp_path / n)) for n in ("own", "none", "all")[::2]))
    found = SshConfig(sections, LOCAL).resolve("h1")
    assert (found.port, found.user) == (5, "u")


def test_relative_includes_lead_beside_the_file_they_are_of(tmp_path: Path) -> None:
    (tmp_path / "sub").write_text("Port 7\n")
    assert port("Include sub none* s?b\n", tmp_path) == 7


def test_includes_without_an_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SshConfigError, match="config:1: Include goes deeper than 16 files"):
        port("Include config\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("User 'a\n", ":1: a ' is not closed"),
        ("Host\n", ":1: Host has no pattern"),
        ("Match\n", ":1: Match has no criterion"),
        ("\nMatch user\n", ":2: Match user has no pattern"),
        ("Port\n", ":1: port has no value"),
        ("Port 5 6\n", ":1: port takes one value"),
    ],
)
def test_a_line_that_can_t_be_understood_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SshConfigError) as caught:
        port(text, tmp_path)
    assert said in caught.value.message


@pytest.mark.parametrize("line", ["Foo bar", "Ciphers 'a", "XAuthLocation", "LocalForward 1 2 3"])
def test_what_orch_does_not_honour_never_breaks_it(tmp_path: Path, line: str) -> None:
    assert port(f"{line}\nPort 5\n", tmp_path) == 5


@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(alphabet="HhostMatchPreluInd* ?!'\"\\#%${}=,:@[]\n\t\0\x1bé", max_size=80))
def test_no_text_breaks_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_bytes(text.encode() + b"\xff")
    error = ""
    try:
        sections = read((ConfigFile(path=str(file), base=str(tmp_path / "none")),))
        SshConfig(sections, LOCAL).resolve("h1")
    except SshConfigError as e:
        error = e.message
    assert error.startswith(str(file) if error else "")
    assert "\x1b" not in error


@pytest.mark.skipif(which("ssh") is None, reason="needs the ssh client")
def test_tokens_in_key_files_mean_what_they_mean_to_ssh(tmp_path: Path) -> None:
    """Only a connection tells: ``ssh -G`` prints them as they are."""
    config = tmp_path / "config"
    config.write_text(
        "HostName %h.example.org\nPort 44\nUser u\nHostKeyAlias al\nIdentitiesOnly yes\n"
        "IdentityFile ~/%h-%n-%p-%r\nIdentityFile %d/%u.%i/%k\nIdentityFile /%%/%L/%l/%C\n"
        "IdentityFile ${PLACE}/k\nProxyCommand false\n"
    )
    done = subprocess.run(
        ["ssh", "-v", "-F", str(config), "-o", "BatchMode=yes", "web1"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **LOCAL.environment},
    )
    lines = [line.split() for line in done.stderr.splitlines() if "identity file" in line]
    files = [words[3] for words in lines if not words[3].endswith("-cert")]
    found = SshConfig(read((ConfigFile(path=str(config)),)), LOCAL).resolve("web1")
    assert list(found.identity_files) == files
    assert len(files) == 4
    assert files[0] == f"{ME.pw_dir}/web1.example.org-web1-44-u"
