"""`orch validate -report`: what of a whole repository is honoured, in part, or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops.cli import program
from tests import json_output
from tests.gitops.jobspec.specs import spec

COMMAND = 'config {\ncommand = "x"\n}\n'
ACTION = 'action "look" {\ncommand = "x"\n}\n'
SERVICE = 'service {\nname = "s"\nport = "80"\n}'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of job files that is no repository and has no orch.toml."""
    folder = tmp_path / "here"
    deep = folder / ("a-rather-long-name/" * 5)
    deep.mkdir(parents=True)
    (folder / "plain.nomad.hcl").write_text(spec(task=COMMAND))
    (folder / "mesh.nomad").write_text(spec(task=COMMAND + ACTION, group=SERVICE))
    (deep / "lead.nomad.hcl").write_text(spec(task=COMMAND + ACTION))
    (folder / "broken.nomad.hcl").write_text('job "x" {\n  cuont = 1\n}\n')
    (folder / "notes.txt").write_text("nothing")
    monkeypatch.chdir(folder)
    return folder


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = program.run(["validate", "-report", *argv])
    out, err = capsys.readouterr()
    json_output.check(["validate", "-report", *argv], out)
    return code, out, err


def test_a_folder_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys)

    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (1, "")
    assert ["action", "2"] in [words[:2] for words in lines]
    assert ["service", "of", "the", "provider", "consul", "1", "mesh.nomad"] in lines
    assert ["driver", "raw_exec", "3"] in [words[:3] for words in lines]
    assert "broken.nomad.hcl:2:3" in out
    assert max(map(len, out.splitlines())) <= 80


def test_json_names_all_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "broken.nomad.hcl").unlink()

    code, out, _ = said(capsys, "-json", ".")

    data: Any = json.loads(out)
    action = next(b for b in data["Blocks"] if b["Block"] == "action")
    assert (code, data["Jobs"], data["diagnostics"]) == (0, 3, [])
    assert (action["Status"], action["Jobs"], len(action["Files"])) == ("not honoured", 2, 2)


def test_strict_fails_where_anything_is_not_honoured(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "-strict", "plain.nomad.hcl")[0] == 0
    assert said(capsys, "-strict", "mesh.nomad")[0] == 1
    assert said(capsys, "mesh.nomad")[0] == 0


def test_a_path_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "nix")

    assert (code, out) == (1, "")
    assert "nix: no such file or folder" in err
