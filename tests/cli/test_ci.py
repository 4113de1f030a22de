"""What runners do by our files: the steps of the action, the template and the hooks, for real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.place import Place, job, process_environment

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEP: dict[str, Any] = ACTION["runs"]["steps"][1]


def run(place: Place, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does; orch is the one of this environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ("bash", "-eo", "pipefail", "-c", script),
        cwd=place.clone,
        env=process_environment({**place.environment, "PATH": path, **more}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def act(place: Place, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action; inputs that are not given have their defaults."""
    known = {name: given["default"] for name, given in ACTION["inputs"].items()} | inputs
    variables = {
        name: known[text.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, text in STEP["env"].items()
    }
    files = {
        name: str(place.root / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    return run(place, STEP["run"], **variables, **files)


def outputs(place: Place) -> str:
    return (place.root / "github_output").read_text()


def test_the_action_plans_and_leaves_a_summary_and_the_plan(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new"))
    done = act(place)
    assert done.returncode == 0, done.stderr
    assert outputs(place) == "exit-code=2\n"
    summary = (place.root / "github_step_summary").read_text()
    assert summary.startswith("### Plan: 1 job to change: 1 create.")
    assert "<details><summary>new</summary>" in summary
    assert (place.clone / "orch.plan").exists()


def test_the_action_applies_the_plan_that_is_there(place: Place) -> None:
    assert act(place).returncode == 0
    done = act(place, command="apply")
    assert done.returncode == 0, done.stderr
    assert outputs(place) == "exit-code=0\nexit-code=0\n"
    assert "No changes" in done.stdout


def test_the_action_fails_where_orch_does(place: Place) -> None:
    place.commit("jobs/web.nomad.hcl", "job {")
    for command in ("validate", "plan", "apply"):
        done = act(place, command=command)
        assert done.returncode == 1
        assert "jobs/web.nomad.hcl:1:" in done.stdout + done.stderr
    assert act(place, command="destroy").returncode == 1
    assert outputs(place) == "exit-code=1\n" * 4


def test_flags_of_the_action_stand_on_lines_of_their_own(place: Place) -> None:
    place.commit(
        "jobs/new.nomad.hcl",
        'variable "who" {\n  default = ""\n}\n' + job("new", task="env {\n  WHO = var.who\n}"),
    )
    done = act(place, args="-var\nwho=you and me\n-verbose", plan="")
    assert done.returncode == 0, done.stderr
    assert '"you and me"' in done.stdout


def test_the_template_plans_shows_and_applies(place: Place) -> None:
    stages = yaml.safe_load((ROOT / "templates/gitlab-ci.yml").read_text())
    for name in ("orch plan", "orch apply"):
        for line in stages[name]["script"]:
            done = run(place, line)
            assert done.returncode == 0, f"{line}: {done.stderr}"
    assert (place.clone / "plan.md").read_text().startswith("### No changes.")
    assert set(stages["orch plan"]["artifacts"]["paths"]) == {"orch.plan", "plan.md"}


@pytest.mark.parametrize("hook", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()))
def test_hooks_pass_what_is_right_and_stop_what_is_wrong(place: Place, hook: Any) -> None:  # noqa: ANN401
    file = "jobs/web.nomad.hcl"
    names = file if hook.get("pass_filenames", True) else ""
    entry = f"{hook['entry']} {names}"
    assert run(place, entry).returncode == 0
    place.write(file, "job {")
    assert run(place, entry).returncode == 1


def test_markdown_is_for_plans_that_are_saved_or_not(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new"))
    now = place.orch("plan", "-format", "markdown", "-out", "x.plan")
    assert now.code == 0
    assert now.out.startswith("### Plan: 1 job to change: 1 create.")
    assert place.orch("show", "-format=markdown", "x.plan").out == now.out
    assert place.orch("show", "-format=json", "x.plan").out.startswith("{")
    wrong = place.orch("plan", "-format", "html")
    assert wrong.code == 1
    assert "'html' is not one of" in wrong.err
