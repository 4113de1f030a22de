from __future__ import annotations

from pathlib import Path

import pytest

from gitops.git import Git, GitError, GitTimeoutError, environment, redacted, shown


def test_output_input_and_failure(tmp_path: Path) -> None:
    git = Git(directory=tmp_path)
    assert git.out("hash-object", "--stdin", stdin=b"hello\n").startswith(b"ce013625")
    assert git.run("rev-parse", "HEAD").code != 0
    with pytest.raises(GitError, match="git rev-parse failed"):
        git.out("rev-parse", "HEAD")


def test_much_input_and_output_do_not_block(tmp_path: Path) -> None:
    lines = b"x\n" * 1_000_000
    assert Git(directory=tmp_path).out("stripspace", stdin=lines) == lines


def test_input_that_is_not_read_is_no_error(tmp_path: Path) -> None:
    assert Git(directory=tmp_path).run("version", stdin=b"x" * 1_000_000).code == 0


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    git = Git(directory=tmp_path, settings={"alias.hang": "!sleep 600; true"})
    with pytest.raises(GitTimeoutError):
        git.run("hang", seconds=0.2)


def test_a_flood_of_errors_is_cut(tmp_path: Path) -> None:
    git = Git(directory=tmp_path, settings={"alias.flood": "!yes err | head -c 9000000 >&2"})
    assert len(git.run("flood").stderr) < 1000


def test_settings_stay_out_of_the_arguments() -> None:
    env = environment({"remote.x.url": "https://u:p@h/"})
    assert (env["GIT_CONFIG_COUNT"], env["GIT_CONFIG_VALUE_0"]) == ("1", "https://u:p@h/")
    assert env["GIT_TERMINAL_PROMPT"] == "0"


@pytest.mark.parametrize(
    ("url", "shown_as"),
    [
        ("https://user:token@host:8443/x.git", "https://host:8443/x.git"),
        ("https://token@host/x.git?t=1", "https://host/x.git"),
        ("ssh://git:pw@host/x.git", "ssh://git@host/x.git"),
        ("git@host:x.git", "git@host:x.git"),
        ("/srv/x.git", "/srv/x.git"),
    ],
)
def test_credentials_are_cut_from_addresses(url: str, shown_as: str) -> None:
    assert redacted(url) == shown_as


def test_what_git_says_is_cleaned() -> None:
    raw = b"remote: \x1b[31mno\x07\nfatal: 'https://u:p@h/x' \xff\n" + b"x" * 1000
    text = shown(raw)
    assert text.startswith("remote:  [31mno; fatal: 'https://h/x' \ufffd; x")
    assert len(text) < 500
