"""`orch init`: a first repository, and a workflow that does what a runner needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.place import Place, process_environment

ROOT = Path(__file__).resolve().parents[2]
FILES = ["orch.toml", "inventory.yml", "jobs/example.nomad.hcl", ".gitignore"]


@pytest.fixture
def empty(place: Place) -> Place:
    """An empty folder, in which the user stands."""
    place.cwd = place.root / "empty"
    place.cwd.mkdir()
    return place


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_a_first_repository_is_sound(empty: Place) -> None:
    empty.git("init", "-q", ".", cwd=empty.cwd)
    said = empty.orch("init")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[: len(FILES)] == [f"wrote {f}" for f in FILES]
    assert "orch doctor" in said.out
    assert "git init" not in said.out
    empty.git("add", ".", cwd=empty.cwd)
    empty.git(
        "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "x", cwd=empty.cwd
    )
    assert empty.orch("validate").code == 0
    found = empty.orch("doctor", "-limit", "all")
    assert "1 valid" in found.out
    (empty.cwd / "jobs/example.nomad.hcl").unlink()
    assert "no job specs in jobs" in empty.orch("doctor").out


def test_nothing_is_overwritten_and_nothing_is_left_half_done(empty: Place) -> None:
    (empty.cwd / "orch.toml").write_text("mine")
    said = empty.orch("init")
    assert said.code == 1
    assert "orch.toml: already there; nothing was written" in said.err
    assert files(empty.cwd) == {"orch.toml"}
    (empty.cwd / "orch.toml").unlink()
    (empty.cwd / "jobs").write_text("a file")
    said = empty.orch("init")
    assert said.code == 1
    assert "nothing was written" in said.err
    assert files(empty.cwd) == {"jobs"}


@pytest.mark.parametrize(
    ("taken", "file"), [("hosts.ini", "hosts.ini"), ("inventory", "inventory/hosts.ini")]
)
def test_an_inventory_and_jobs_that_are_there_are_taken_as_they_are(
    empty: Place, taken: str, file: str
) -> None:
    (empty.cwd / file).parent.mkdir(exist_ok=True)
    (empty.cwd / file).write_text("[web]\nweb1 ansible_host=127.0.0.1\n")
    (empty.cwd / "jobs").mkdir()
    (empty.cwd / "jobs/web.nomad").write_text("")
    said = empty.orch("init")
    assert (said.code, said.err) == (0, "")
    assert files(empty.cwd) == {file, "orch.toml", ".gitignore", "jobs/web.nomad"}
    assert (
        f"orch host trust                          vouch for the keys of hosts in {taken}"
        in said.out
    )
    assert "edit inventory.yml" not in said.out
    assert f'inventory = "{taken}"' in (empty.cwd / "orch.toml").read_text()


def test_what_git_ignores_already_stays(empty: Place) -> None:
    (empty.cwd / ".gitignore").write_text("*.log\n/.orch/\n")
    assert "wrote .gitignore" not in empty.orch("init").out
    assert (empty.cwd / ".gitignore").read_text() == "*.log\n/.orch/\n"


@pytest.mark.parametrize(
    ("forge", "path"), [("github", ".github/workflows/orch.yml"), ("gitlab", ".gitlab-ci.yml")]
)
def test_a_workflow_comes_with_the_rest_or_alone(empty: Place, forge: str, path: str) -> None:
    assert empty.orch("init", "-workflow", forge).code == 0
    assert files(empty.cwd) == {*FILES, path}
    written = (empty.cwd / path).read_text()
    (empty.cwd / path).unlink()
    alone = empty.orch("init", "-workflow", forge)
    assert alone.code == 0
    assert alone.out.startswith(f"wrote {path}\n\nNext steps:\n")
    assert (empty.cwd / path).read_text() == written
    again = empty.orch("init", "-workflow", forge)
    assert (again.code, f"{path}: already there" in again.err) == (1, True)
    assert empty.orch("init", "-workflow", "forgery").code == 1


def test_the_workflow_of_gitlab_is_the_template(empty: Place) -> None:
    empty.orch("init", "-workflow", "gitlab")
    template = (ROOT / "templates/gitlab-ci.yml").read_text()
    assert (empty.cwd / ".gitlab-ci.yml").read_text() == template


def test_the_steps_for_github_plan_and_apply(place: Place) -> None:
    place.orch("init", "-workflow", "github")
    workflow: dict[str, Any] = yaml.safe_load(
        (place.clone / ".github/workflows/orch.yml").read_text()
    )
    steps = {s.get("name"): s for s in workflow["jobs"]["orch"]["steps"]}
    place.commit("jobs/web.nomad.hcl", (place.clone / "jobs/web.nomad.hcl").read_text() + "\n# x\n")
    summary = place.root / "summary"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    more = {"PATH": path, "GITHUB_STEP_SUMMARY": str(summary)}
    for name in ("Plan", "Apply"):
        done = subprocess.run(
            ("bash", "-eo", "pipefail", "-c", steps[name]["run"]),
            cwd=place.clone,
            env=process_environment({**place.environment, **more}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"
    assert "Plan of `" in summary.read_text()
