"""`orch run -output`: the job as the API takes it, on stdout, with nothing else looked at."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gitops.cli import program
from tests import json_output
from tests.gitops.jobspec.specs import spec


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a job; there is neither an inventory nor a ledger to look at."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "here"
    (folder / "jobs").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / "orch.toml").write_text('cluster = "none"\ninventory = "nowhere.yml"\n')
    (folder / "jobs/web.nomad.hcl").write_text(
        spec(top='variable "n" {\ntype = number\ndefault = 1\n}', group="count = var.n")
    )
    monkeypatch.chdir(folder)
    for command in (["add", "."], ["commit", "-qm", "First"]):
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
        subprocess.run(["git", *who, *command], check=True)
    return folder


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = program.run(["run", "-output", *argv])
    out, err = capsys.readouterr()
    json_output.check(["run", "-output", *argv], out)
    return code, out, err


def test_a_job_is_printed_as_the_api_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "-var", "n=3", "jobs/web.nomad.hcl")

    job = json.loads(out)["Job"]
    assert (code, err) == (0, "")
    assert (job["ID"], job["TaskGroups"][0]["Count"], job["Priority"]) == ("j", 3, None)


def test_what_is_printed_is_printed_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, first, _ = said(capsys, "jobs/web.nomad.hcl")
    (here / "jobs/web.nomad.json").write_text(first)
    (here / "jobs/bare.nomad.json").write_text(json.dumps(json.loads(first)["Job"]))

    assert said(capsys, "jobs/web.nomad.json") == (0, first, "")
    assert said(capsys, "jobs/bare.nomad.json") == (0, first, "")


def test_a_job_that_cannot_be_parsed_is_an_error(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "jobs/web.nomad.hcl").write_text(spec(group="cuont = 1"))

    code, out, err = said(capsys, "jobs/web.nomad.hcl")

    assert (code, out) == (1, "")
    assert 'jobs/web.nomad.hcl:5:5: Unknown argument "cuont"' in err
