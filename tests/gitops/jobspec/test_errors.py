"""What is wrong in a spec, with the exact place, in one table; then how it is shown."""

from __future__ import annotations

import pytest

from gitops.diagnostics import Diagnostic, SpecErrors, did_you_mean
from tests.gitops.jobspec.specs import errors_of, places, spec

# spec → (line, column, summary) of each error
SYNTAX = {
    "": [(0, 0, "The job block is missing")],
    'job "a" {\n  group "g" {\n}\n': [(1, 9, "Unclosed block or object")],
    'job "a" {\n  priority = = 5\n}\n': [(2, 14, "Invalid expression")],
    'job "a" {\n  priority =\n}\n': [(2, 12, "Value missing")],
    'job "a" {\n  priority\n}\n': [(2, 3, "Argument or block definition incomplete")],
    'job "a" {\n  priority: 5\n}\n': [(2, 11, "Unexpected ':'")],
    'job "a" {\n  priority = 5 type = "batch"\n}\n': [(2, 16, "Newline missing")],
    'job "a" {\n  priority = 5 type\n}\n': [(2, 16, "Unexpected 'type' after the value")],
    'job "a" {\n  priority = 5\n  priority = 6\n}\n': [(3, 3, '"priority" is set twice')],
    'job "a"\n{\n}\n': [(1, 1, "Brace on the next line")],
    'job "a" {\n  network { port "x" { to = 1 } }\n}\n': [(2, 13, "'network' needs more lines")],
    'job "a" {\n  meta { a = 1\n  }\n}\n': [(2, 10, "'meta' needs more lines")],
    'job "a" {\n  name = "x\n}\n': [(2, 10, "Unclosed string")],
    'job "a" {\n  meta = { v = 1\n, w = 2 }\n}\n': [(3, 1, "Comma on the next line")],
    # All that is no HCL at once, and nothing that follows from it.
    'job "a" {\n  name = = 1\n\n  type =\n\n  meta { a = 1 b = 2 }\n}\n': [
        (2, 10, "Invalid expression"),
        (4, 8, "Value missing"),
        (6, 16, "'meta' needs more lines"),
    ],
    'job "a" {\n  group "g" {\n    x ${\n  }\n\n  y ! 1\n}\n': [
        (3, 7, "Unexpected '$'"),
        (6, 5, "Unexpected '!'"),
    ],
    'job "a" {\n  name = "x${var.a"\n}\n': [(2, 19, "Unclosed string")],
    'job "a" {\n  name = true ?\n    "x" : "y"\n}\n': [
        (2, 15, "The value is not complete on its line")
    ],
    'job "a" {\n  name = true ? "x"\n    : "y"\n}\n': [
        (2, 19, "The value is not complete on its line")
    ],
    'job "a" {\n  priority = 1\n    + 2\n}\n': [(3, 5, "Unexpected '+'")],
    'job "a" {\n  name = true\n\n    ? "x" : "y"\n}\n': [(4, 5, "Unexpected '?'")],
    'job "a" {\n  name = <<E\nx\n}\n': [(2, 10, "Unclosed heredoc")],
    'job "a" {\n  meta = { v = <<E\nx\nE': [(2, 16, "Unclosed heredoc")],
    'job "a" { /* \n}\n': [(1, 11, "Unclosed comment")],
    'job "a" {\n  datacenters = ["a"}\n}\n': [(2, 17, "Unclosed list")],
    "}\n": [(1, 1, '"}" closes nothing')],
    'job "${var.x}" {\n}\n': [(1, 5, "Template in a label")],
    'job "a" {\n}\njob "b" {\n}\n': [(3, 1, "A second job block")],
    'jab "a" {\n}\n': [(0, 0, "The job block is missing"), (1, 1, 'Unknown block "jab"')],
}
NAMES = {
    spec(job="colour = 1"): [(3, 3, 'Unknown argument "colour" in job')],
    spec(group="gizmo {\n}"): [(5, 5, 'Unknown block "gizmo" in group')],
    spec(task="resource {\n}"): [(8, 7, 'Unknown block "resource" in task')],
    spec(job="datacenters {\n}"): [(3, 3, '"datacenters" is an argument, not a block')],
    spec(group="update = {}"): [(5, 5, '"update" is a block, not an argument')],
    spec(group="update {\n}\nupdate {\n}"): [(7, 1, 'A second "update" block')],
    spec(task="env {\n}\nenv {\n}"): [(10, 1, '"env" is given twice')],
    spec(group='restart "x" {\n}'): [(5, 13, "One label too many")],
    spec(group="network {\nport {\n}\n}"): [(6, 1, "The label is missing")],
    spec(job="task {\n}"): [(3, 3, "The label is missing")],
    spec(group="count = many"): [(5, 13, 'Invalid value of "count"')],
    spec(group='count = "two"'): [(5, 13, 'Invalid value of "count"')],
    spec(job='datacenters = "dc1"'): [(3, 17, 'Invalid value of "datacenters"')],
    spec(task='kill_timeout = "5 s"'): [(8, 22, 'Invalid value of "kill_timeout"')],
    spec(task="env {\nA = []\n}"): [(9, 1, 'Invalid "A" in env')],
    spec(job="name = var.nosuch"): [(3, 13, 'There is no variable "nosuch"')],
    spec(job='dynamic "group" {\n}'): [(3, 3, "Invalid dynamic block")],
    spec(job='dynamic "meta" {\nfor_each = 5\ncontent {\n}\n}'): [(4, 12, "Not a collection")],
    # All at once, in the order of the file.
    spec(job="colour = 1", group="count = []", task="kil_timeout = 5"): [
        (3, 3, 'Unknown argument "colour" in job'),
        (5, 13, 'Invalid value of "count"'),
        (8, 7, 'Unknown argument "kil_timeout" in task'),
    ],
}


@pytest.mark.parametrize(("text", "expected"), [*SYNTAX.items(), *NAMES.items()])
def test_errors_are_placed(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert places(text) == expected


RULES = {
    spec(job='type = "daemon"'): (3, 'Invalid job type "daemon"'),
    spec(job="priority = 101"): (3, "Invalid priority 101"),
    spec(job='id = "a b"'): (3, "Invalid job id 'a b'"),
    spec(job='datacenters = [""]'): (3, "Invalid datacenters"),
    'job "j" {\n}\n': (1, "The job has no group"),
    'job "j" {\n  group "g" {\n  }\n}\n': (2, "The group has no task"),
    'job "j" {\n  group "g" {\n    task "t" {\n    }\n  }\n}\n': (3, "The task has no driver"),
    spec(job='group "g" {\ntask "t" {\ndriver = "x"\n}\n}'): (8, 'A second group "g"'),
    spec(group='task "t" {\ndriver = "x"\n}'): (8, 'A second task "t"'),
    spec(group="count = -1"): (5, "Invalid count -1"),
    spec(job='type = "system"', group="count = 2"): (5, "Invalid count 2 in a system job"),
    spec(job='type = "system"', group="reschedule {\n}"): (5, "A reschedule block in a system job"),
    spec(job='type = "batch"\nupdate {\n}'): (4, "An update block in a batch job"),
    spec(group="update {\ncanary = -1\n}"): (6, "Invalid value -1"),
    spec(job='update {\nmin_healthy_time = "6m"\n}'): (
        4,
        "min_healthy_time is not less than healthy_deadline",
    ),
    spec(group='restart {\nmode = "panic"\n}'): (6, 'Invalid restart mode "panic"'),
    spec(group='restart {\nattempts = 9\ninterval = "10s"\n}'): (
        5,
        "The restart attempts do not fit into the interval",
    ),
    spec(group="reschedule {\nattempts = 5\n}"): (5, "attempts together with unlimited = true"),
    spec(group='network {\nport "a" {\nstatic = 70000\n}\n}'): (6, "Invalid static port 70000"),
    spec(group='network {\nport "a" {\n}\nport "a" {\n}\n}'): (8, 'A second port "a"'),
    spec(group='network {\nport "a" {\nstatic = 80\n}\nport "b" {\nstatic = 80\n}\n}'): (
        9,
        "The static port 80 is taken",
    ),
    spec(group='service {\nname = "bad name!"\n}'): (6, 'Invalid service name "bad name!"'),
    spec(group='service {\nport = "p"\nprovider = "nomad"\ncheck {\ntype = "pigeon"\n}\n}'): (
        9,
        'Invalid check type "pigeon"',
    ),
    spec(group='constraint {\nattribute = "${attr.a}"\noperator = "~="\nvalue = "b"\n}'): (
        7,
        'Unknown operator "~="',
    ),
    spec(group='affinity {\nattribute = "${attr.a}"\nvalue = "b"\nweight = 0\n}'): (
        8,
        "Invalid weight 0",
    ),
    spec(task="constraint {\ndistinct_hosts = true\n}"): (8, "distinct_hosts in a task"),
    spec(task="resources {\ncpu = 0\n}"): (9, "Invalid cpu 0"),
    spec(task="resources {\nmemory = 5\n}"): (9, "Invalid memory 5"),
    spec(task="logs {\nmax_files = 30\n}"): (8, "The logs are not smaller than the disk"),
    spec(task='template {\ndestination = "../x"\ndata = "x"\n}'): (9, 'Invalid destination "../x"'),
    spec(task='artifact {\nsource = "http://x/a"\noptions {\nchecksum = "md5:1"\n}\n}'): (
        10,
        "Invalid checksum",
    ),
    spec(task='volume_mount {\nvolume = "v"\n}'): (8, 'There is no volume "v"'),
    spec(job='type = "batch"\nperiodic {\ncrons = ["61 3 * * *"]\n}'): (
        5,
        'Invalid cron expression "61 3 * * *"',
    ),
    spec(job='periodic {\ncrons = ["@daily"]\n}'): (3, "periodic needs a batch or sysbatch job"),
}


@pytest.mark.parametrize(("text", "expected"), RULES.items())
def test_rules_are_placed(text: str, expected: tuple[int, str]) -> None:
    assert [(line, summary) for line, _, summary in places(text)] == [expected]


def test_an_error_shows_its_line_and_the_nearest_name() -> None:
    found = errors_of(spec(task="kil_timeout = 5"))
    assert found[0].text() == (
        'x.nomad.hcl:8:7: Unknown argument "kil_timeout" in task\n'
        "  8 |       kil_timeout = 5\n"
        "    |       ^^^^^^^^^^^\n"
        '  Did you mean "kill_timeout"?'
    )


def test_columns_count_characters_and_no_byte_order_mark() -> None:
    assert places('\ufeffjab "é" {\n}\n')[1] == (1, 1, 'Unknown block "jab"')
    assert places('job "é" "x" {\n}\n')[0][:2] == (1, 9)


def test_terminal_escapes_are_not_shown() -> None:
    text = "\n".join(d.text() for d in errors_of('job "a" {\n  \x1b[31m = 1\n}\n'))
    assert text
    assert "\x1b" not in text


def test_a_long_line_is_cut_around_the_caret() -> None:
    place = Diagnostic("p", 1, 5001, "here", source_line="x" * 10_000, end_column=5002)
    shown = place.text().splitlines()[1]
    assert len(shown) < 200


def test_errors_count_themselves() -> None:
    one = Diagnostic("p", 0, 0, "nothing there", "Add it.", "warning")
    error = SpecErrors([one])
    assert str(error) == "p: warning: nothing there\n  Add it."
    assert error.hint == "Correct the 1 error above."


def test_no_suggestion_where_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["count"]) == ""


def test_all_that_is_wrong_within_one_expression() -> None:
    text = spec(job='meta = {\na = "${one()} ${upper(1, 2)}"\nb = max(two(), 1 + {})\n}')
    assert places(text) == [
        (4, 8, 'There is no function "one"'),
        (4, 17, "Wrong number of arguments"),
        (5, 9, 'There is no function "two"'),
        (5, 16, 'Invalid operand of "+"'),
    ]


def test_an_expression_that_grows_too_large_is_told_once() -> None:
    bomb = "[for a in range(1024) : [for b in range(1024) : [for c in range(1024) : b]]]"
    found = errors_of(spec(job=f"meta = {{\na = {bomb}\nb = {bomb}\n}}"))
    assert [d.summary for d in found] == ["The expression grows too large"]
