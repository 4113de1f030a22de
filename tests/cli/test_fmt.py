"""`orch fmt`: which files, what is written, what is printed, which exit code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitops.cli import program
from tests.cli.place import ORCH, process_environment

UGLY = 'job "x" {\ntype="batch"\n}\n'
NEAT = 'job "x" {\n  type = "batch"\n}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that is not formatted, one below it, and things to leave alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "here"
    (folder / "sub").mkdir(parents=True)
    for name in ("ugly.nomad.hcl", "sub/deep.nomad", "notes.txt"):
        (folder / name).write_text(UGLY)
    (folder / "neat.hcl").write_text(NEAT)
    monkeypatch.chdir(folder)
    return folder


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = program.run(["fmt", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_files_here_are_written_and_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys) == (0, "ugly.nomad.hcl\n", "")
    assert (here / "ugly.nomad.hcl").read_text() == NEAT
    assert (here / "sub/deep.nomad").read_text() == UGLY
    assert (here / "notes.txt").read_text() == UGLY
    assert said(capsys) == (0, "", "")


def test_recursive_goes_into_folders(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".git").mkdir()
    (here / ".git/x.hcl").write_text(UGLY)

    assert said(capsys, "-recursive", ".") == (0, "ugly.nomad.hcl\nsub/deep.nomad\n", "")
    assert (here / "sub/deep.nomad").read_text() == NEAT
    assert (here / ".git/x.hcl").read_text() == UGLY


def test_check_writes_nothing_and_says_1(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "-check") == (1, "ugly.nomad.hcl\n", "")
    assert said(capsys, "-check", "neat.hcl") == (0, "", "")
    assert (here / "ugly.nomad.hcl").read_text() == UGLY


def test_diff_shows_what_changes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "-diff", "-write=false", "-list=false", "ugly.nomad.hcl")

    assert code == 0
    assert '\n-type="batch"\n+  type = "batch"\n' in out
    assert out.startswith("--- ugly.nomad.hcl\n+++ ugly.nomad.hcl\n")
    assert (here / "ugly.nomad.hcl").read_text() == UGLY


def test_stdin_comes_out_formatted() -> None:
    def piped(*flags: str) -> tuple[int, str, str]:
        done = subprocess.run(
            (*ORCH, "fmt", *flags, "-"),
            env=process_environment({}),
            input=UGLY,
            capture_output=True,
            check=False,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    assert piped() == (0, NEAT, "")
    assert piped("-check") == (1, "", "")


def test_a_broken_file_stays_and_the_others_are_done(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "a.hcl").write_text('job "x" {\n  a = \n')

    code, out, err = said(capsys)

    assert (code, out) == (1, "ugly.nomad.hcl\n")
    assert err.startswith("Error: a.hcl:")
    assert (here / "a.hcl").read_text() == 'job "x" {\n  a = \n'


def test_json_bad_text_and_missing_files_are_errors(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "x.nomad.json").write_text("{}")
    (here / "bad.txt").write_bytes(b"a = \xff")

    for name, word in (("x.nomad.json", "JSON"), ("bad.txt", "UTF-8"), ("nix", "no such file")):
        code, out, err = said(capsys, name)
        assert (code, out) == (1, "")
        assert name in err
        assert word in err


def test_mode_and_links_stay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "ugly.nomad.hcl").chmod(0o640)
    (here / "link.hcl").symlink_to("ugly.nomad.hcl")

    assert said(capsys, "link.hcl")[0] == 0
    assert (here / "link.hcl").is_symlink()
    assert (here / "ugly.nomad.hcl").read_text() == NEAT
    assert (here / "ugly.nomad.hcl").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in here.iterdir() if p.name.startswith(".")) == []
