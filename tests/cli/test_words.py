"""Nomad's words: those that are there, and what is said of those that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops.cli import program
from gitops.cli.commands import every_command
from gitops.cli.nomad_words import FLAGS, WORDS
from gitops.cli.words import every_word
from tests.cli.cases import Case, cases, check
from tests.cli.place import Place, job

BY_NAME = dict(every_command())
# What takes ids, by what they are ids of, with words that it needs beside the id.
TAKES = {
    "job": {
        "status": "", "stop": "-yes", "start": "", "history": "", "inspect": "", "logs": "",
        "job status": "", "job allocs": "", "job deployments": "", "job history": "",
        "job inspect": "", "job stop": "-yes", "job start": "", "eval list -job": "",
        "rollback": "-yes", "job revert": "0", "job scale": "3", "job eval": "",
        "job scaling-events": "", "job promote": "", "job restart": "-yes",
        "job tag apply": "-name x", "job tag unset": "-name x",
        "alloc logs -job": "", "alloc exec -job": "true", "alloc fs -job": "",
        "exec -job": "-- true",
    },
    "alloc": {
        "alloc status": "", "alloc logs": "", "alloc exec": "true", "alloc fs": "",
        "alloc checks": "", "alloc restart": "",
        "alloc stop": "", "alloc signal": "", "exec": "-- true",
    },
    "node": {
        "node status": "", "node drain": "-enable -yes", "node eligibility": "-disable",
    },
    "deployment": {
        "deployment status": "", "deployment promote": "", "deployment fail": "",
        "deployment pause": "", "deployment resume": "", "deployment health": "-healthy ab",
    },
    "eval": {"eval status": ""},
}  # fmt: skip
NOTHING = {
    "job": 'No job(s) with prefix or ID "ffffffff" found',
    "alloc": 'No allocation(s) with prefix or id "ffffffff" found',
    "node": 'No node(s) with prefix "ffffffff" found',
    "deployment": 'No deployment(s) with prefix or id "ffffffff" found',
    "eval": 'No evaluation(s) with prefix or id "ffffffff" found',
}
IDS = [(kind, words, rest) for kind, those in TAKES.items() for words, rest in those.items()]


@pytest.mark.parametrize(("kind", "words", "rest"), IDS, ids=[w for _, w, _ in IDS])
def test_an_id_that_is_of_nothing(place: Place, kind: str, words: str, rest: str) -> None:
    check(Case(name=words, argv=f"{words} ffffffff {rest}", words=(NOTHING[kind],)), place)


@pytest.mark.parametrize(
    ("words", "rest"), [(w, r) for w, r in TAKES["alloc"].items()], ids=TAKES["alloc"]
)
def test_an_id_that_is_too_short(place: Place, words: str, rest: str) -> None:
    said = check(Case(name=words, argv=f"{words} f {rest}", words=("two characters",)), place)
    assert "Identifier must contain at least two characters." in said.err


@pytest.mark.parametrize(("words", "rest"), TAKES["job"].items(), ids=TAKES["job"])
def test_a_prefix_of_two_jobs(place: Place, words: str, rest: str) -> None:
    for name in ("alpha-1", "alpha-2"):
        place.commit(f"jobs/{name}.nomad.hcl", job(name, group="count = 0"))
    assert place.orch("apply", "-auto-approve").code == 0
    table = (
        'Prefix "alpha" matched multiple jobs',
        "\nID       Type     Priority  Status",
        "\nalpha-1  service  50",
        "\nalpha-2  service  50",
    )
    check(Case(name=words, argv=f"{words} alpha {rest}", words=table), place)


def test_every_command_that_takes_an_id_is_tried() -> None:
    taking = {
        name
        for name, command in BY_NAME.items()
        for p in command.params
        if any(w in str(p.metavar or "") for w in ("JOB", "ALLOC", "NODE", "DEPLOYMENT", "EVAL"))
    }
    tried = {words.removesuffix(" -job") for those in TAKES.values() for words in those}
    # It takes a run, too, and where none holds a job it says that of every name.
    assert {"eval list", "status"} | taking == tried | {"lock break"}


def test_no_name_is_of_a_run_where_there_is_none(place: Place) -> None:
    case = Case(name="lock break", argv="lock break -force ffffffff", words=("no run holds a job",))
    check(case, place)


# -- one definition, two names --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["validate", "plan", "run", "stop", "start", "history", "inspect"])
def test_a_word_below_job_is_the_word_itself(name: str) -> None:
    alone, below = BY_NAME[name], BY_NAME[f"job {name}"]
    assert [p.opts for p in alone.params] == [p.opts for p in below.params]
    assert alone.help == below.help


def test_job_status_is_of_jobs_only(place: Place) -> None:
    (alloc,) = json.loads(place.orch("job", "allocs", "-json", "web").out)
    assert place.orch("status", alloc["ID"][:8]).code == 0
    case = Case(
        name="alloc", argv=f"job status {alloc['ID'][:8]}", words=("No job(s) with prefix",)
    )
    check(case, place)
    # with times, since an age may be another one a moment later
    one, other = (place.orch(*w, "-verbose", "we").out for w in (("job", "status"), ("status",)))
    assert one == other != ""
    assert place.orch("job", "status").out == place.orch("status").out


def test_allocations_and_deployments_of_a_job(place: Place) -> None:
    said = place.orch("job", "allocs", "web")
    header, row = said.out.splitlines()
    assert header.split("  ")[0] == "ID"
    assert row.split()[2:6] == ["app", "0", "run", "running"]
    said = place.orch("job", "deployments", "web")
    assert said.out.splitlines()[0] == ("ID        Job ID  Job Version  Status      Description")
    latest = place.orch("job", "deployments", "-latest", "web").out
    assert "Status      = successful" in latest
    assert "Task Group  Desired  Placed" in latest
    data: Any = json.loads(place.orch("job", "deployments", "-json", "-latest", "web").out)
    assert data["JobID"] == "web"
    (listed,) = json.loads(place.orch("job", "deployments", "-json", "web").out)
    assert listed == data


def test_a_stopped_job_starts_as_it_was_recorded(place: Place) -> None:
    place.commit("jobs/two.nomad.hcl", job("two", group="count = 0"))
    place.commit("jobs/one.nomad.hcl", job("one", group="count = 0"))
    assert place.orch("apply", "-auto-approve").code == 0
    assert place.orch("stop", "-yes", "one", "two").code == 0
    place.commit("jobs/one.nomad.hcl", job("one", group="count = 7"))
    said = place.orch("job", "start", "one", "tw")
    assert said.code == 0, said.err
    assert "Apply finished: 2 of 2 jobs done." in said.out
    (one, *_) = json.loads(place.orch("history", "-json", "one").out)
    assert (one["Version"], json.loads(place.orch("inspect", "one").out)["Stop"]) == (2, False)
    assert json.loads(place.orch("inspect", "one").out)["TaskGroups"][0]["Count"] == 0


def test_a_job_that_is_not_stopped_does_not_start(place: Place) -> None:
    words = ("job 'web' is not stopped", "orch status web")
    check(Case(name="start", argv="job start web", words=words), place)


def test_an_example_job_file(place: Place) -> None:
    said = place.orch("job", "init", "-short")
    assert said.out == "Example job file written to example.nomad.hcl\n"
    assert place.orch("job", "validate", "example.nomad.hcl").code == 0
    again = Case(name="again", argv="job init", words=("Job 'example.nomad.hcl' already exists",))
    check(again, place)
    check(Case(name="nowhere", argv="job init none/x", words=("none/x: no such file",)), place)


# -- what is not there ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{} x", "{}=x", "-{}"])
def test_a_flag_of_nomads_says_what_to_do(capsys: pytest.CaptureFixture[str], form: str) -> None:
    # One letter has no other form.
    for flag in (f for f in FLAGS if len(f) > 2):
        assert program.run(["hosts", "list", *form.format(flag).split()]) == 1
        said = capsys.readouterr()
        assert said.err == f"Error: {flag} is Nomad's: {FLAGS[flag]}\n"
        assert said.out == ""


@cases(
    Case(name="first of all", argv="-address=http://a status", words=("-address is Nomad's",)),
    Case(name="detach", argv="job run -detach x.hcl", words=("-detach is Nomad's: an apply is",)),
    Case(name="template", argv="alloc status -t {{.ID}} ab", words=("-t is Nomad's", "-json")),
    Case(name="agent", argv="agent -dev", words=("No such command 'agent'", "'orch dev' runs")),
    Case(name="dispatch", argv="job dispatch web", words=("Parameterized jobs are not in",)),
    Case(name="mistyped", argv="job alocs web", words=("Did you mean 'allocs'?", "orch job -help")),
)
def test_words_that_are_nomads_alone(case: Case, place: Place) -> None:
    check(case, place)


def test_no_word_is_both_there_and_not_there() -> None:
    assert set(WORDS) & set(every_word()) == set()
    first = {w.partition(" ")[0] for w in every_word()}
    assert {w.partition(" ")[0] for w in WORDS if " " in w} <= first
