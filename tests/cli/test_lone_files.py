"""`orch validate FILE` where there is no orch.toml: a file that somebody sent, in any folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops.cli import program
from tests import json_output
from tests.gitops.jobspec.specs import spec

COMMAND = 'config {\ncommand = "x"\n}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no repository and has no orch.toml."""
    monkeypatch.delenv("ORCH_CONFIG", raising=False)
    (tmp_path / "good.nomad.hcl").write_text(spec(task=COMMAND + 'env {\nA = file("a.txt")\n}'))
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "bad.nomad.hcl").write_text('job "x" {\n  cuont = 1\n}\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = program.run(["validate", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_good_one_is_valid_and_reads_beside_itself(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "good.nomad.hcl") == (0, "Job validation successful\n", "")
    (here / "a.txt").unlink()
    code, out, _ = said(capsys, "good.nomad.hcl")
    assert (code, "there is no file a.txt" in out) == (1, True)


def test_all_errors_of_all_files_have_their_place(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "-json", "good.nomad.hcl", "bad.nomad.hcl", "nix.nomad.hcl")
    assert code == 1
    json_output.check(["validate", "-json"], out)
    places = {
        (d["range"]["filename"], d["range"]["start"]["line"])
        for d in json.loads(out)["diagnostics"]
    }
    assert places == {("bad.nomad.hcl", 2), ("nix.nomad.hcl", 0)}


def test_without_files_and_at_a_commit_a_repository_is_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for argv in ((), ("-rev", "main", "good.nomad.hcl")):
        code, out, err = said(capsys, *argv)
        assert (code, out) == (1, "")
        assert "no orch.toml here or in any folder above" in err
