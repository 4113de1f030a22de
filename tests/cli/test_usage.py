"""The command line itself: flags, help, exit codes, JSON, pipes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gitops.cli.words import every_word
from gitops.saved import FORMAT
from tests.cli.cases import Case, all_of, cases, check
from tests.cli.place import Place, assert_fit_to_read, job

NEW_JOB = partial(Place.commit, name="jobs/new.nomad.hcl", text=job("new"))
PLAN = {"format_version", "cluster", "index", "empty", "source", "jobs", "unknown_hosts", "drift"}
LISTS = ("status -json", "history -json web", "node status -json")


COMMANDS = ("", *every_word())


def saved(place: Place, change: Callable[[str], str]) -> None:
    NEW_JOB(place)
    assert place.orch("plan", "-out", "half.plan").code == 0
    path = place.clone / "half.plan"
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


@cases(
    Case(name="command", argv="frobnicate", words=("No such command 'frobnicate'", "'orch -help'")),
    Case(name="mistyped command", argv="plna", words=("Did you mean 'plan'?",)),
    Case(name="below node", argv="node frob", words=("'frob'", "See 'orch node -help'.")),
    Case(
        name="saved supposition",
        argv="plan -out x.plan -what-if job=web:count=2",
        words=("a plan with -what-if can't be saved",),
    ),
    Case(name="no supposition", argv="plan -what-if web=9", words=("'web=9' is no supposition",)),
    Case(name="flag", argv="plan -frob", words=("No such option: -frob", "'orch plan -help'")),
    Case(
        name="mistyped flag",
        argv="apply -chek-index 1",
        words=("No such option: -chek-index\n", "Did you mean '-check-index'?"),
    ),
    Case(
        name="flag without its value",
        argv="plan -var",
        words=("'-var' requires an argument", "See 'orch plan -help'."),
    ),
    Case(
        name="flag below a word without its value",
        argv="job plan -var",
        words=("'-var' requires an argument", "See 'orch job plan -help'."),
    ),
    Case(
        name="none of the values",
        argv="init -workflow jenkins",
        words=("Invalid value for '-workflow': 'jenkins' is not one of 'github', 'gitlab'",),
    ),
    Case(
        name="no whole number",
        argv="alloc fs -n x ab",
        words=("Invalid value for '-n': a whole number is required",),
    ),
    Case(
        name="folder for a job file",
        argv="plan jobs",
        words=("jobs: a folder, not a job file", "Name job files"),
    ),
    Case(name="value of a switch", argv="plan -json=1", words=("'-json' does not take a value",)),
    Case(name="no argument", argv="stop", words=("Missing argument 'JOB...'", "'orch stop -help'")),
    Case(name="port", argv="dev -port 77777", words=("Invalid value for '-port'", "65535")),
    Case(
        name="index no number",
        argv="apply -check-index x",
        words=("'x' is not an index; 'orch plan' prints the job's",),
    ),
    Case(name="index below nought", argv="apply -check-index -1", words=("'-1' is not an index",)),
    Case(
        name="index of two jobs",
        argv="apply -check-index 1",
        given=NEW_JOB,
        words=("-check-index is for exactly one job, and these are 2", "Name the job's file."),
    ),
    Case(
        name="stale index",
        argv="run -check-index 77 jobs/web.nomad.hcl",
        words=("Enforcing job modify index 77: job exists with conflicting job modify index: ",),
        code=3,
    ),
    Case(
        name="index of a new job for an old one",
        argv="run -check-index 0 jobs/web.nomad.hcl",
        words=("Enforcing job modify index 0: job already exists", "Plan again."),
        code=3,
    ),
    Case(
        name="index of no job",
        argv="run -check-index 7 jobs/new.nomad.hcl",
        given=NEW_JOB,
        words=("Enforcing job modify index 7: job does not exist",),
        code=3,
    ),
    Case(
        name="apply unasked",
        argv="apply",
        given=NEW_JOB,
        words=("needs approval; nothing was touched", "-auto-approve", "-check-index N"),
        out=("1 job to change",),
    ),
    Case(
        name="stop unasked",
        argv="stop web",
        words=("needs approval; nothing was touched", "Give -yes."),
        out=("1 destroy",),
    ),
    Case(
        name="no such job",
        argv="status nojob",
        words=('No job(s) with prefix or ID "nojob" found', "See 'orch status'."),
    ),
    Case(name="stop no such job", argv="stop -yes nojob", words=("No job(s)", "nojob")),
    Case(name="logs of no such job", argv="logs nojob", words=("No job(s)", "nojob")),
    Case(name="history of no such job", argv="history nojob", words=("No job(s)", "nojob")),
    Case(name="inspect no such job", argv="inspect nojob", words=("No job(s)", "nojob")),
    Case(
        name="no such version",
        argv="inspect web -version 9",
        words=("job 'web' has no version 9", "It has: 0"),
    ),
    Case(name="no such task", argv="logs web notask", words=("'notask'", "server")),
    Case(
        name="no such node",
        argv="node status nonode",
        words=('No node(s) with prefix "nonode" found', "orch node status"),
    ),
    Case(name="no saved plan", argv="show none", words=("none: not a saved plan", "plan -out")),
    Case(
        name="damaged plan",
        argv="apply half.plan",
        given=partial(saved, change=lambda text: text[: len(text) // 2]),
        words=("half.plan: damaged: ", "Plan again with -out."),
    ),
    Case(
        name="plan of a later orch",
        argv="apply half.plan",
        given=partial(
            saved, change=lambda text: text.replace(f'"Format": {FORMAT}', '"Format": 9')
        ),
        words=("half.plan: a saved plan of format 9", f"which reads format {FORMAT}"),
    ),
    Case(
        name="plan into nowhere",
        argv="plan -out none/x.plan",
        words=("none/x.plan: No such file or directory", "can be written"),
    ),
    Case(
        name="init twice",
        argv="init",
        words=("orch.toml: already there; nothing was written", "another folder"),
    ),
)
def test_wrong_usage(case: Case, place: Place) -> None:
    check(case, place)


def test_a_prefix_of_several_jobs(place: Place) -> None:
    for name in ("alpha-1", "alpha-2"):
        place.commit(f"jobs/{name}.nomad.hcl", job(name, group="count = 0"))
    assert place.orch("apply", "-auto-approve").code == 0
    case = Case(
        name="prefix",
        argv="status alpha",
        words=(
            'Prefix "alpha" matched multiple jobs',
            "\nID       Type     Priority  Status",
            "\nalpha-1  service  50",
            "\nalpha-2  service  50",
            "Type more of it",
        ),
    )
    check(case, place)


def test_an_embedded_host_twice_in_a_folder(place: Place) -> None:
    folder = place.host.parent
    case = Case(
        name="dev",
        argv=("dev", "-dir", str(folder)),
        words=(f"a host runs in {folder} already (process ", f"{folder}/inventory.yml"),
    )
    check(case, place)


def test_an_embedded_host_on_a_taken_port(place: Place) -> None:
    port = re.findall(r"ansible_port: (\d+)", (place.host.parent / "inventory.yml").read_text())[0]
    case = Case(
        name="dev",
        argv=("dev", "-dir", str(place.root / "other"), "-port", port),
        words=(f"can't listen on 127.0.0.1 port {port}: ", "Give another port"),
    )
    said = check(case, place)
    assert "in use" in said.err


# -- flags ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        "run -check-index 77 jobs/web.nomad.hcl",
        "run --check-index 77 jobs/web.nomad.hcl",
        "run -check-index=77 jobs/web.nomad.hcl",
        "run --check-index=77 jobs/web.nomad.hcl",
        "run jobs/web.nomad.hcl -check-index 77",
    ],
)
def test_one_dash_or_two(place: Place, argv: str) -> None:
    said = place.orch(*argv.split())
    assert said.code == 3
    assert "Enforcing job modify index 77" in said.err


def test_every_flag_has_a_variable(place: Place) -> None:
    place.environment["ORCH_CHECK_INDEX"] = "77"
    assert place.orch("run", "jobs/web.nomad.hcl").code == 3
    place.environment["ORCH_CHECK_INDEX"] = "x"
    said = place.orch("run", "jobs/web.nomad.hcl")
    assert said.code == 1
    assert "ORCH_CHECK_INDEX" in said.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_fits_a_terminal(place: Place, command: str, flag: str) -> None:
    said = place.orch(*command.split(), flag)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: orch {command}".strip())
    assert max(len(line) for line in said.out.splitlines()) <= 80, said.out
    assert "..." not in said.out.partition("Options:")[2].replace("]...", ""), said.out


# -- exit codes -----------------------------------------------------------------------------------


def test_changes_count_only_where_they_are_asked_for(place: Place) -> None:
    assert place.orch("plan", "-detailed-exitcode").code == 0
    NEW_JOB(place)
    assert place.orch("plan").code == 0
    assert place.orch("plan", "-detailed-exitcode").code == 2


def test_incomplete_comes_before_changes(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new").replace("raw_exec", "qemu"))
    assert place.orch("plan", "-detailed-exitcode").code == 4


def test_a_conflict_comes_before_incomplete(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new").replace("raw_exec", "qemu"))
    assert place.orch("run", "-check-index", "9", "jobs/new.nomad.hcl").code == 3


# -- JSON, colours, pipes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        ("validate -json", {"format_version", "valid", "diagnostics", "unsupported"}),
        ("plan -json", PLAN),
        ("apply -json -auto-approve", PLAN),
        ("run -json jobs/web.nomad.hcl", PLAN),
        ("status -json", {"ID", "Status"}),
        ("status -json web", {"Job", "Summary", "LatestDeployment", "Allocations"}),
        ("history -json web", {"Version", "JobModifyIndex"}),
        ("inspect web", {"ID", "TaskGroups", "Version", "JobModifyIndex"}),
        ("inspect -json web", {"ID", "TaskGroups", "Version"}),
        ("node status -json", {"Name", "Status"}),
    ],
)
def test_json_is_all_there_is_on_stdout(place: Place, argv: str, keys: set[str]) -> None:
    said = place.orch(*argv.split())
    assert said.code == 0
    data: Any = json.loads(said.out)
    first = data[0] if argv in LISTS else data
    assert keys <= set(first)


def test_what_apply_and_stop_came_to_as_json(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new", group="count = 0"))
    for argv in ("apply -json -auto-approve", "stop -json -yes new"):
        said = place.orch(*argv.split())
        outcome = json.loads(said.out)["Outcomes"][0]
        assert (outcome["Job"], outcome["Outcome"], said.code) == ("new", "done", 0)


def test_wrong_specs_as_json(place: Place) -> None:
    place.commit("jobs/bad.nomad.hcl", "job {")
    said = place.orch("validate", "-json")
    data = json.loads(said.out)
    assert (said.code, data["valid"]) == (1, False)
    assert data["diagnostics"][0]["range"]["filename"] == "jobs/bad.nomad.hcl"


@pytest.mark.parametrize("argv", ["plan", "status", "status web", "node status", "history web"])
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}])
def test_no_escapes_into_a_pipe(place: Place, argv: str, environment: dict[str, str]) -> None:
    place.environment.update(environment)
    said = place.orch(*argv.split())
    assert said.code == 0
    assert_fit_to_read(said)


def test_the_reader_may_leave(place: Place, tmp_path: Path) -> None:
    """As `orch status | head -1`, with more to say than a pipe holds."""
    for n in range(3):
        place.commit(f"jobs/n{n}.nomad.hcl", job(f"n{n}", group="count = 700"))
    plan = place.process("plan", "-verbose")
    assert plan.stdout is not None
    assert plan.stdout.readline()
    plan.stdout.close()
    assert plan.stderr is not None
    said = plan.stderr.read()
    assert plan.wait(timeout=180) in (0, 4)
    plan.stderr.close()
    assert "Broken" not in said
    assert "Traceback" not in said


def test_all_of_takes_every_step(place: Place) -> None:
    all_of(NEW_JOB, partial(Place.write, name="x", text="y"))(place)
    assert (place.clone / "x").read_text() == "y"
