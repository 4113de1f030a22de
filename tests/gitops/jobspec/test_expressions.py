"""Expressions and the text that they give as a value of meta."""

from __future__ import annotations

import pytest

from tests.gitops.jobspec.specs import errors_of, job_of, spec

LOCALS = """
locals {
  list  = ["b", "a", "c"]
  map   = { x = 1, y = 2 }
  users = [{ name = "ann", admin = true }, { name = "bob", admin = false }]
  nul   = null
}
"""

VALUES = {
    "1.50": "1.5",
    "1e30": "1000000000000000000000000000000",
    "0.1 + 0.2": "0.3",
    "10 / 4": "2.5",
    "-7 % 3": "-1",
    "2 * 3 + 1": "7",
    "12345678901234567890": "12345678901234567890",
    '"5" + 1': "6",
    '1 == "1"': "false",
    "1 < 2 && !(2 <= 1)": "true",
    '"a${"b${"c"}"}"': "abc",
    r'"tab\tq\"u\u00e9\\"': 'tab\tq"ué\\',
    '"$${x} %%{y} $x %y"': "${x} %{y} $x %y",
    '"$${x${"y"}}"': "${xy}",
    '"${~ "x" ~} y"': "xy",
    "local.map.y": "2",
    'local.map["x"]': "1",
    "local.list[0]": "b",
    "jsonencode(local.users[*].name)": '["ann","bob"]',
    "jsonencode(local.users.*.name)": '["ann","bob"]',
    "jsonencode([for u in local.users : u.name if u.admin])": '["ann"]',
    "jsonencode({ for u in local.users : u.name => u.admin })": '{"ann":true,"bob":false}',
    'jsonencode({ for u in ["a", "b", "a"] : u => 1... })': '{"a":[1,1],"b":[1]}',
    'join(",", [for i, z in local.list : "${i}${z}"])': "0b,1a,2c",
    "true ? 1 : 2": "1",
    '"%{ if 1 < 2 }yes%{ else }no%{ endif }"': "yes",
    '"%{ for x in local.list ~} ${x} %{~ endfor }"': "bac",
    "max([3, 1]...)": "3",
    "(1\n+ 2)": "3",
    '"a" /* between */': "a",
    # What is not known here is left for run time, as it is written.
    '"${attr.kernel.name}"': "${attr.kernel.name}",
    '"${ meta["rack"] }-${local.list[0]}"': '${meta["rack"]}-b',
    "node.unique.name": "${node.unique.name}",
    'upper("${node.class}")': "${NODE.CLASS}",
    '"${unknown.thing}"': "${unknown.thing}",
    # Functions
    'format("%s-%03d|%5.2f|%q|%%|%v", "web", 7, 3.14159, "q", [1])': 'web-007| 3.14|"q"|%|[1]',
    'format("%[2]s %[1]s", "a", "b")': "b a",
    'regex_replace("a1b2", "[0-9]", "#")': "a#b#",
    'regex_replace("ab12", "([a-z]+)([0-9]+)", "$2-$1")': "12-ab",
    'replace("a.b", ".", "-")': "a-b",
    'substr("abcdef", -3, -1)': "def",
    'title("two words")': "Two Words",
    'strrev("abc")': "cba",
    'coalesce(null, "x")': "x",
    "element(local.list, 4)": "a",
    'jsonencode(merge({ a = 1 }, { a = 2, b = "<" }))': '{"a":2,"b":"\\u003c"}',
    "jsonencode(range(3, 0, -1))": "[3,2,1]",
    'jsonencode(setproduct(["a", "b"], [1, 2]))': '[["a",1],["a",2],["b",1],["b",2]]',
    "jsonencode(sort([3, 1, 2]))": '["1","2","3"]',
    'jsonencode(zipmap(["a"], [1]))': '{"a":1}',
    'jsondecode("{\\"a\\": [1, 2.50]}").a[1]': "2.5",
    'jsonencode(csvdecode("a,b\\n1,2"))': '[{"a":"1","b":"2"}]',
    'yamldecode("k: [1, v]").k[1]': "v",
    'yamlencode({ a = [1, { b = "x" }] })': '"a":\n- 1\n- "b": "x"\n',
    'base64decode(base64encode("é"))': "é",
    'urlencode("a b&c/é")': "a+b%26c%2F%C3%A9",
    'md5("x")': "9dd4e461268c8034f5c8564e155c67a6",
    'cidrsubnet("fd00::/48", 16, 3)': "fd00:0:0:3::/64",
    'join(" ", cidrsubnets("10.0.0.0/16", 4, 8))': "10.0.0.0/20 10.0.16.0/24",
    'cidrhost("10.1.0.0/16", -2)': "10.1.255.254",
    'formatdate("EEE D MMM YYYY hh:mm ZZZ", "2024-02-03T04:05:06Z")': "Sat 3 Feb 2024 04:05 UTC",
    'timeadd("2024-02-03T04:05:06Z", "1h")': "2024-02-03T05:05:06Z",
    'parseint("ff", 16)': "255",
    "pow(2, 0.5)": "1.4142135623730951",
    "log(8, 2)": "3",
    'try(tonumber("x"), "none")': "none",
    "can(local.map.z)": "false",
    'convert("5", number) + 1': "6",
}
ERRORS = {
    "0x10": "Invalid number",
    '"x${local.nul}"': "This cannot be put into text",
    "local.list[9]": "Invalid index",
    "local.list": 'Invalid "v" in meta',
    "local.nosuch": 'There is no local "nosuch"',
    "var.nosuch": 'There is no variable "nosuch"',
    "nosuch(1)": 'There is no function "nosuch"',
    'file("x")': '"file" failed',
    'lookup({}, "b")': "Wrong number of arguments",
    "upper(null)": 'Invalid argument of "upper"',
    'format("%d", 1.5)': '"format" failed',
    'parseint("zz", 10)': '"parseint" failed',
    "1 +": "Unexpected end of line",
    '"a" * 2': 'Invalid operand of "*"',
    "1 ? 2 : 3": "Invalid condition",
    '"${"': "Unclosed string",
    '"%{ if true }x"': "Unclosed directive",
    '"\\q"': "Invalid escape '\\\\q'",
    "{ for k in local.list : 1 => k }": 'The key "1" occurs twice',
    "[for x in 5 : x]": "Not a collection",
}


@pytest.mark.parametrize(("expression", "value"), VALUES.items())
def test_value(expression: str, value: str) -> None:
    job = job_of(spec(top=LOCALS, job=f"meta {{\nv = {expression}\n}}"))
    assert job.meta["v"] == value


@pytest.mark.parametrize(("expression", "summary"), ERRORS.items())
def test_error(expression: str, summary: str) -> None:
    found = errors_of(spec(top=LOCALS, job=f"meta {{\nv = {expression}\n}}"))
    assert [d.summary for d in found] == [summary]
    assert found[0].line == 11


HEREDOCS = [
    ("<<E\n  a\n    b\nE\n", "  a\n    b\n"),
    ("<<-E\n    four\n      six\n\n  two\n  E\n", "  four\n    six\n\ntwo\n"),
    (
        "<<-E\n    ${attr.x} $${y}\n     %{ if true }z%{ endif }\\n\n    E\n",
        "${attr.x} ${y}\n z\\n\n",
    ),
    ('<<_E_1\ncurly { " # ${upper("a")}\n_E_1 \n', 'curly { " # A\n'),
    ("<<E\nE\n", ""),
]


@pytest.mark.parametrize(("heredoc", "text"), HEREDOCS)
def test_heredoc(heredoc: str, text: str) -> None:
    assert job_of(spec(job=f"meta {{\nv = {heredoc}}}")).meta["v"] == text


def test_a_quotient_is_printed_to_the_last_digit() -> None:
    shown = job_of(spec(job="meta {\nv = 10 / 3\n}")).meta["v"]
    assert shown.startswith("3.333333333333333333")
    assert len(shown) > 150


SYNTAXES = {
    "{ a = -1, b = -12, c = 5-12, d = 5 - -1.5e1, e = -var.x }": "-1 -12 -7 20 -3",
    '{ a = 1, b : 2, (upper("c")) = 3\n d = 4 }': "3 1 2 4",
    '{ "for" = 1, in = 2 }': "1 2",
    "{ a = !!true, b = !(!false) }": "true false",
    "{ # one\n a = 1 // two\n b = 2, /* three\n*/ }": "1 2",
    '{ a = "# // /* x" }': "# // /* x",
    "{ a = (true\n ? 1\n : 2) }": "1",
    '{ a = "b ${ "c } ${ "d" }" } e" }': "b c } d e",
    '{ a = join("", [\n"x",\n"y",\n]) }': "xy",
    "{ a = upper(<<E\nx\nE\n) }": "X\n",
    '{ namé = "x" }': "x",
    '{ a = ["b"].0 }': "b",
    "{ a = length([for k, v in { x = 1 } : k]) }": "1",
}


@pytest.mark.parametrize(("expression", "values"), SYNTAXES.items())
def test_syntax(expression: str, values: str) -> None:
    job = job_of(spec(top="variables {\nx = 3\n}", job=f"meta = {expression}"))
    assert " ".join(v for _, v in sorted(job.meta.items())) == values


MORE_VALUES = {
    "abs(-3)": "3",
    "ceil(1.2) + floor(-1.2)": "0",
    "min(4, 2)": "2",
    "signum(-3)": "-1",
    "pow(2, 10)": "1024",
    "1 / 0": "+Inf",
    'parseint("-11", 2)': "-3",
    'chomp("line\\n\\n")': "line",
    'indent(2, "a\\nb")': "a\n  b",
    'trim("xxhixx", "x")': "hi",
    'trimprefix("pre-x", "pre-")': "x",
    'trimsuffix("x.txt", ".txt")': "x",
    'trimspace("  x  ")': "x",
    'lower("ABC")': "abc",
    'strlen("héllo")': "5",
    'basename("a/b/c.txt")': "c.txt",
    'dirname("a/b/c.txt")': "a/b",
    'jsonencode(split(",", "a,b"))': '["a","b"]',
    'join(",", formatlist("%s!", ["a", "b"]))': "a!,b!",
    'format("%x %X %o %b %e %g", 255, 255, 8, 5, 12345.678, 1.5)': "ff FF 10 101 1.234568e+04 1.5",
    'format("%-3s|%3s|%t|%+d|%05d|%.1f", "a", "b", true, 5, -12, 2.25)': (
        "a  |  b|true|+5|-0012|2.2"
    ),
    "jsonencode(chunklist([1, 2, 3], 2))": "[[1,2],[3]]",
    'jsonencode(coalescelist([], ["y"]))': '["y"]',
    'jsonencode(compact(["a", "", "b"]))': '["a","b"]',
    'jsonencode(concat(["a"], [1]))': '["a",1]',
    "contains([1], 1)": "true",
    'contains([1], "1")': "false",
    "jsonencode(distinct([1, 1, 2]))": "[1,2]",
    "jsonencode(flatten([[1, [2]], 3]))": "[1,2,3]",
    'index(["a"], 0)': "a",
    'index(convert({ a = "b" }, map(string)), "a")': "b",
    "log(0, 2)": "-Inf",
    "1 % 0": "1",
    "pow(0, -1)": "+Inf",
    'cidrnetmask("fd00::/8")': "ff00::",
    "jsonencode(keys({ b = 1, a = 2 }))": '["a","b"]',
    "jsonencode(values({ b = 1, a = 2 }))": "[2,1]",
    'lookup({ a = "1" }, "b", "none")': "none",
    'jsonencode(setintersection(["a", "b"], ["b"]))': '["b"]',
    'jsonencode(setunion(["b"], ["a"]))': '["a","b"]',
    "jsonencode(slice([1, 2, 3], 1, 2))": "[2]",
    'sha1("x")': "11f6ad8ec52a2984abaafd7c3b516503785c2072",
    'uuidv5("dns", "example.com")': "cfbff0d1-9375-5685-968c-48ce8b15ae17",
    'cidrnetmask("10.1.0.0/20")': "255.255.240.0",
    'formatdate("YYYY-MM-DD\'T\'HH:mm:ss AA ZZZZZ", "2024-02-03T14:05:06+01:00")': (
        "2024-02-03T02:05:06 PM +01:00"
    ),
    'yamlencode({ a = "x\\ny\\n", b = { c = [] } })': '"a": |\n  x\n  y\n"b":\n  "c": []\n',
    "jsonencode(null)": "null",
    "jsonencode(convert([1], list(string)))": '["1"]',
    "length(convert({ a = 1 }, map(number)))": "1",
    "10 == 10.0": "true",
    "[1, { a = 2 }] == [1, { a = 2 }]": "true",
    'null == "x"': "false",
    "local.users[1].admin ? 1 : 2": "2",
    "-local.map.x": "-1",
    "7.5 % 2": "1.5",
}
MORE_ERRORS = {
    "length({ a = 1 })": '"length" failed',
    'length("x")': '"length" failed',
    "keys([])": 'Invalid argument of "keys"',
    "element([], 0)": '"element" failed',
    'index([1], "a")': '"index" failed',
    "coalesce(null)": '"coalesce" failed',
    "coalescelist([])": '"coalescelist" failed',
    "range(1, 0, 1)": '"range" failed',
    "slice([1], 1, 3)": '"slice" failed',
    'zipmap(["a"], [])': '"zipmap" failed',
    "log(-1, 2)": '"log" failed',
    "1 / 0 - 1 / 0": 'Invalid operand of "-"',
    "pow(-1, 0.5)": '"pow" failed',
    'index({ a = "b" }, "a")': '"index" failed',
    'parseint("1", 99)': '"parseint" failed',
    'format("%d")': '"format" failed',
    'format("%y", 1)': '"format" failed',
    'format("%")': '"format" failed',
    'format("x", 1)': '"format" failed',
    'base64decode("!")': '"base64decode" failed',
    'csvdecode("a,a")': '"csvdecode" failed',
    'jsondecode("{")': '"jsondecode" failed',
    'yamldecode("a: [")': '"yamldecode" failed',
    'uuidv5("x", "y")': '"uuidv5" failed',
    'cidrhost("10.0.0.0/8", 99999999)': '"cidrhost" failed',
    'cidrhost("10", 1)': "Invalid argument",
    'cidrsubnet("10.0.0.0/30", 8, 0)': '"cidrsubnet" failed',
    'cidrsubnets("10.0.0.0/30", 8)': '"cidrsubnets" failed',
    'formatdate("Q", "2024-02-03T04:05:06Z")': '"formatdate" failed',
    'formatdate("YYYY", "today")': 'Invalid argument of "formatdate"',
    'timeadd("2024-02-03T04:05:06Z", "x")': '"timeadd" failed',
    'regex_replace("a", "(", "b")': '"regex_replace" failed',
    'convert("x", number)': 'Invalid argument of "convert"',
    'convert("x", list(string))': 'Invalid argument of "convert"',
    "convert({}, object({ a = string }))": 'Invalid argument of "convert"',
    "convert([1], tuple([string, string]))": 'Invalid argument of "convert"',
    "convert(1)": "Wrong number of arguments",
    "try()": '"try" needs an argument',
    "can()": "Wrong number of arguments",
    "max(5...)": 'Only a list or set goes with "..."',
    "var": 'Invalid "v" in meta',
    'local.map["z"]': "Invalid index",
    'local.list["z"]': "Invalid index",
    "local.map.z": 'There is no "z" in this object',
    'upper("x").y': 'a string has no "y"',
    "5[0]": "Invalid index",
    "!5": "Invalid operand",
    '-"x"': "Invalid operand",
    "{ (local.list) = 1 }": "Invalid key",
    "{ a = 1 b = 2 }": "Comma missing",
    "{ for = 1 }": "Invalid for expression",
    "local.list.*.*": 'A second ".*" in one expression',
    "[[1]].0.0": "Two positions with dots",
    "<<E  \nE\n": "Blanks behind the marker of a heredoc",
    "<<E.F\nE.F\n": "Invalid heredoc",
    "-1(2)": "A number is no function",
    "jsonencode({ attr.x = 1 })": "This may be a reference or a name",
    '"%{ if true }%{ else if false }%{ endif }"': 'Unexpected text behind "else"',
    '"%{ else }"': '"else" without its beginning',
    '"%{ while x }"': "Unknown template directive",
    '"%{ for }"': "Invalid for directive",
    '"%{ if true }%{ endfor }"': '"endfor" does not close an "if"',
    '"${}"': "Expression missing",
    '"${1 +}"': "Unexpected",
}


@pytest.mark.parametrize(("expression", "value"), MORE_VALUES.items())
def test_functions(expression: str, value: str) -> None:
    job = job_of(spec(top=LOCALS, job=f"meta {{\nv = {expression}\n}}"))
    assert job.meta["v"] == value


@pytest.mark.parametrize(("expression", "summary"), MORE_ERRORS.items())
def test_function_errors(expression: str, summary: str) -> None:
    found = errors_of(spec(top=LOCALS, job=f"meta {{\nv = {expression}\n}}"))
    assert [d.summary[: len(summary)] for d in found] == [summary]
    assert found[0].line == 11
