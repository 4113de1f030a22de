"""What a sensitive variable comes to is a mark, wherever and however its value has got there."""

from __future__ import annotations

import json

import pytest

from gitops.diagnostics import SpecErrors
from gitops.jobspec import marks
from gitops.jobspec.load import load
from gitops.jobspec.spec import LoadedSpec
from gitops.jobspec.variables import Variables
from planner.codec import to_json
from planner.job import Task
from tests.gitops.jobspec.specs import spec

SECRET = "hunter2-hunter2"
TOP = """
variable "pw" {
  type      = string
  sensitive = true
}
variable "all" {
  type      = map(string)
  sensitive = true
  default   = { KEY = "hunter2-hunter2" }
}
locals {
  url   = "db://app:${var.pw}@host"
  upper = upper(local.url)
  plain = "plain"
}
"""


def _loaded(text: str) -> LoadedSpec:
    return load(text, path="web", variables=Variables(flags=(("pw", SECRET),)))


def _task(body: str) -> tuple[Task, LoadedSpec]:
    loaded = _loaded(spec(top=TOP, task=body))
    return loaded.job.task_groups[0].tasks[0], loaded


@pytest.mark.parametrize(
    "body",
    [
        "env {\n A = var.pw\n}",
        'env {\n A = "x ${var.pw} y"\n}',
        "env {\n A = local.url\n}",
        "env {\n A = local.upper\n}",
        "env {\n A = base64encode(var.pw)\n}",
        'env {\n A = var.pw == "x" ? "yes" : "no"\n}',
        "env = { A = var.pw }",
        "env = var.all",
        "env = { for k, v in var.all : k => v }",
        "env = merge({ B = 1 }, var.all)",
        "env = { (var.pw) = 1 }",
        "meta {\n A = try(var.pw, 1)\n}",
        'template {\n data = <<E\npw=${var.pw}\nE\n destination = "local/x"\n}',
        "vault {\n role = var.pw\n}",
        'dynamic "template" {\n for_each = var.all\n content {\n data = template.value\n'
        ' destination = "local/x"\n}\n}',
    ],
)
def test_no_secret_is_in_the_job(body: str) -> None:
    _, loaded = _task(body)
    text = json.dumps(to_json(loaded.job))
    for derived in (SECRET, SECRET.upper(), "aHVudGVyMi1odW50ZXIy"):
        assert derived not in text
    assert set(marks.found_in(text)) == set(loaded.secrets)
    assert loaded.secrets
    assert loaded.sensitive == {"pw", "all"}
    assert SECRET not in repr(loaded)


def test_what_has_nothing_to_do_with_it_stays() -> None:
    task, loaded = _task('env = { A = var.pw, B = local.plain, C = "c" }')
    assert (task.env["B"], task.env["C"]) == ("plain", "c")
    assert loaded.secrets == {task.env["A"]: SECRET}


def test_lists_and_numbers_in_a_config_come_back_as_they_were() -> None:
    body = 'config {\n command = "x"\n args = [var.pw, length(var.all), "z"]\n}'
    task, loaded = _task(body)
    opened = marks.replaced(dict(task.config), loaded.secrets)
    assert opened == {"command": "x", "args": [SECRET, 1, "z"]}


def test_nested_blocks_of_a_config_are_hidden_by_attribute() -> None:
    body = 'config {\n command = "x"\n auth {\n username = "bob"\n password = var.pw\n }\n}'
    task, loaded = _task(body)
    assert marks.shown(json.dumps(task.config["auth"])) == (
        '[{"username": "bob", "password": "(sensitive)"}]'
    )
    assert list(loaded.secrets.values()) == [SECRET]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (spec(top=TOP, group="count = length(var.all)"), "can't be used here"),
        (spec(top=TOP, job="datacenters = [var.pw]"), "can't be used here"),
        (spec(top=TOP, task="config {\n image = var.pw\n}"), "can't be used here"),
        (spec(top=TOP, task="user = var.pw"), "can't be used here"),
        (
            spec(top=TOP, group='constraint {\n attribute = "x"\n value = var.pw\n}'),
            "can't be used here",
        ),
        (
            spec(
                top=TOP,
                group='network {\n dynamic "port" {\n for_each = var.all\n'
                " labels = [port.value]\n content {}\n}\n}",
            ),
            "can't be a label",
        ),
    ],
)
def test_what_plans_show_can_not_be_sensitive(text: str, what: str) -> None:
    with pytest.raises(SpecErrors, match=what) as raised:
        _loaded(text)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "top",
    [
        'variable "pw" {\n type = number\n sensitive = true\n}',
        'variable "pw" {\n sensitive = true\n validation {\n condition = var.pw == ""\n'
        ' error_message = "not ${var.pw}"\n}\n}',
        'variable "pw" {\n type = object({a = string})\n sensitive = true\n}',
        'variable "pw" {\n sensitive = true\n}\nlocals {\n x = parseint(var.pw, 10)\n}',
        'variable "pw" {\n sensitive = var.x\n}',
        f'variable "pw" {{\n}}\nvariable "q" {{\n sensitive = true\n default = "{SECRET}"\n'
        " type = number\n}",
    ],
)
def test_errors_do_not_tell_it(top: str) -> None:
    with pytest.raises(SpecErrors) as raised:
        _loaded(spec(top=top))
    assert SECRET not in "".join(d.text() for d in raised.value.diagnostics)


def test_errors_in_the_job_do_not_tell_it_either() -> None:
    for body in (
        "kill_timeout = var.pw",
        "env {\n A = parseint(var.pw, 10)\n}",
        "leader = local.url",
    ):
        with pytest.raises(SpecErrors) as raised:
            _task(body)
        assert SECRET not in "".join(d.text() for d in raised.value.diagnostics)


def test_a_variable_that_is_not_sensitive_shows() -> None:
    loaded = _loaded(
        spec(top='variable "pw" {\n sensitive = false\n}', task="env {\nA = var.pw\n}")
    )
    assert loaded.job.task_groups[0].tasks[0].env == {"A": SECRET}
    assert not loaded.secrets


def test_a_value_that_no_spec_declares_is_not_shown_either() -> None:
    variables = Variables(files=(("v", f'pw2 = "{SECRET}"'), ("w", f'pw = "{SECRET}"')))
    with pytest.raises(SpecErrors, match="pw2") as raised:
        load(spec(top=TOP), path="web", variables=variables)
    assert SECRET not in "".join(d.text() for d in raised.value.diagnostics)
