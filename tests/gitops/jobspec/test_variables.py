"""Where values of variables come from, who wins, and what is refused."""

from __future__ import annotations

import pytest

from gitops.diagnostics import SpecErrors
from gitops.jobspec.load import load_all
from gitops.jobspec.variables import Variables
from tests.gitops.jobspec.specs import errors_of, job_of, places, spec

DECLARED = 'variable "n" {\n  type    = number\n  default = 1\n}'
TEXT = spec(top=DECLARED, group="count = var.n")


def count(variables: Variables, text: str = TEXT) -> int:
    return job_of(text, variables).task_groups[0].count


def test_precedence_rises_from_default_to_flag() -> None:
    environment = {"NOMAD_VAR_n": "2"}
    files = (("a.hcl", "n = 3"), ("b.json", '{"n": 4}'))
    assert count(Variables()) == 1
    assert count(Variables(environment=environment)) == 2
    assert count(Variables(environment={**environment, "ORCH_VAR_n": "7"})) == 7
    assert count(Variables(environment=environment, files=files[:1])) == 3
    assert count(Variables(environment=environment, files=files)) == 4
    assert count(Variables((("n", "5"), ("n", "6")), files, environment)) == 6


TYPES = [
    ("string", "12", "12"),
    ("number", "1.50", "1.5"),
    ("bool", "true", "true"),
    ("list(number)", '["1", 2]', "[1,2]"),
    ("set(string)", '["b", "a", "b"]', '["a","b"]'),
    ("map(string)", "{ a = 1 }", '{"a":"1"}'),
    ("object({ a = number, b = list(string) })", '{ a = "1", b = [2] }', '{"a":1,"b":["2"]}'),
    ("tuple([string, bool])", '[1, "true"]', '["1",true]'),
    ("any", '{ a = [1, "x"] }', '{"a":[1,"x"]}'),
]


@pytest.mark.parametrize(("kind", "given", "shown"), TYPES)
def test_given_text_becomes_the_declared_type(kind: str, given: str, shown: str) -> None:
    value = "var.v" if kind in ("string", "number", "bool") else "jsonencode(var.v)"
    text = spec(top=f'variable "v" {{\ntype = {kind}\n}}', job=f"meta {{\nv = {value}\n}}")
    assert job_of(text, Variables((("v", given),))).meta["v"] == shown


def test_untyped_values_are_text() -> None:
    text = spec(top='variable "v" {\n}', job="meta {\nv = var.v\n}")
    assert job_of(text, Variables((("v", "[1]"),))).meta["v"] == "[1]"


def test_the_short_form_declares_too() -> None:
    assert count(Variables((("n", "4"),)), TEXT.replace(DECLARED, "variables {\nn = 2\n}")) == 4


WRONG = [
    ('variable "n" {\n}', [(1, 1, 'The variable "n" has no value')]),
    ('variable "n" {\ntype = numbr\n}', [(2, 8, "Invalid type")]),
    ('variable "n" {\ntipe = number\n}', [(2, 1, 'Unknown argument "tipe" in variable')]),
    ('variable "n" {\ntype = number\ndefault = "x"\n}', [(3, 11, "Invalid default")]),
    ('variable "n" {\ndefault = attr.x\n}', [(2, 11, '"attr.x" is not known here')]),
    ("variables {\nn = 1\n}\n" + DECLARED, [(4, 1, 'A second variable "n"')]),
    (
        'variable "n" {\ndefault = 1\nvalidation {\ncondition = var.n > 1\n'
        'error_message = "Larger."\n}\n}',
        [(1, 1, 'The variable "n" is not valid')],
    ),
    (
        "locals {\na = local.b\nb = local.a\n}",
        [(3, 10, 'The local "a" refers to itself')],
    ),
    ("locals {\na = 1\n}\nlocals {\na = 2\n}", [(5, 1, 'A second local "a"')]),
]


@pytest.mark.parametrize(("top", "expected"), WRONG)
def test_wrong_declarations(top: str, expected: list[tuple[int, int, str]]) -> None:
    assert places(spec(top=top)) == expected


def test_a_wrong_value_names_where_it_came_from() -> None:
    found = errors_of(TEXT, Variables((("n", "many"),)))
    assert [d.summary for d in found] == ['Invalid value of "n" (-var n)']


def test_var_files_hold_values_only() -> None:
    found = errors_of(TEXT, Variables(files=(("v.hcl", 'variable "n" {\n}'),)))
    assert (found[0].path, found[0].line) == ("v.hcl", 1)
    found = errors_of(TEXT, Variables(files=(("v.hcl", "n = "),)))
    assert found[0].path == "v.hcl"


def test_a_value_that_no_file_declares_is_an_error() -> None:
    other = spec(job='id = "other"')
    assert len(load_all({"a": TEXT, "b": other}, Variables((("n", "2"),)))) == 2
    with pytest.raises(SpecErrors) as caught:
        load_all({"a": TEXT, "b": other}, Variables((("nn", "2"),), (("v.hcl", "\nm = 1"),)))
    shown = [(d.path, d.line, d.summary) for d in caught.value.diagnostics]
    assert shown == [
        ("v.hcl", 2, 'No spec declares the variable "m"'),
        ("-var nn", 0, 'No spec declares the variable "nn"'),
    ]


def test_undeclared_environment_is_ignored() -> None:
    assert count(Variables(environment={"NOMAD_VAR_other": "1", "n": "9"})) == 1


def test_values_that_nothing_declares_are_warnings_if_asked_for() -> None:
    given = Variables(flags=(("nosuch", "1"),), strict=False)
    (loaded,) = load_all({"x.nomad.hcl": spec()}, given)
    (told,) = [w for w in loaded.warnings if "nosuch" in w.summary]
    assert told.severity == "warning"


CONVERSIONS: list[tuple[str, str, str]] = [
    ("object({ a = string, b = optional(number) })", "{ a = 1 }", '{"a":"1","b":null}'),
    ("object({ a = optional(string, 5) })", "{}", '{"a":"5"}'),
    ("object({ a = optional(string, 5) })", "{ a = null }", '{"a":"5"}'),
    (
        "list(object({ a = optional(list(string), []) }))",
        "[{}, { a = [1] }]",
        '[{"a":[]},{"a":["1"]}]',
    ),
    ("map(list(number))", '{ a = ["1"] }', '{"a":[1]}'),
    ("set(string)", '["b", "a", "b"]', '["a","b"]'),
    ("tuple([string, number])", '[1, "2"]', '["1",2]'),
    ("list(any)", '[1, "a"]', '["1","a"]'),
    ("any", "[1, true]", "[1,true]"),
    ("bool", '"true"', "true"),
]


@pytest.mark.parametrize(("type_", "given", "value"), CONVERSIONS)
def test_a_value_converts_to_its_declared_type(type_: str, given: str, value: str) -> None:
    text = spec(
        top=f'variable "v" {{\ntype = {type_}\ndefault = {given}\n}}',
        job="meta {\nv = jsonencode(var.v)\n}",
    )
    (loaded,) = load_all({"x.nomad.hcl": text}, Variables())
    assert loaded.job.meta["v"] == value


@pytest.mark.parametrize(
    "type_",
    ['"string"', "list", "object", "strin", "map(string, number)", "list(optional(string))"],
)
def test_a_type_that_there_is_not(type_: str) -> None:
    found = places(spec(top=f'variable "v" {{\ntype = {type_}\ndefault = 1\n}}'))
    assert [s for _, _, s in found] == ["Invalid type"]


def test_a_rule_is_about_its_own_variable() -> None:
    for condition, message, summary in (
        ("true", '"no"', "Invalid condition"),
        ("var.other > 1", '"no"', '"other" is not known here'),
        ("var.v > 0 ? null : null", '"no"', "Invalid condition"),
        ("var.v > 5", '""', "Invalid error_message"),
        ("var.v > 5", '"too small"', 'The variable "v" is not valid'),
    ):
        own = f"validation {{\ncondition = {condition}\nerror_message = {message}\n}}"
        found = places(spec(top=f'variable "v" {{\ndefault = 1\n{own}\n}}'))
        assert [s for _, _, s in found] == [summary]


def test_a_variable_that_has_no_value_is_told_of_once() -> None:
    text = spec(top='variable "v" {\ntype = number\ndefault = "x"\n}', job="meta {\na = var.v\n}")
    assert [s for _, _, s in places(text)] == ["Invalid default"]


def test_a_file_of_variables_tells_all_that_is_wrong() -> None:
    given = Variables(files=(("v.hcl", "a = b\nc {\n}\nd = upper(1)\n"),))
    assert [(d.line, d.path) for d in errors_of(spec(), given)] == [
        (1, "v.hcl"),
        (2, "v.hcl"),
        (4, "v.hcl"),
    ]
