"""Job specs that are wrong: the place, what is wrong, what to do; and nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.cli.cases import Case, cases, check
from tests.cli.place import Place, job

BAD = "jobs/bad.nomad.hcl"
APPLY = "apply -auto-approve -allow-dirty"


def spec(text: str | bytes, name: str = BAD) -> Callable[[Place], None]:
    """Commit a job spec."""
    return partial(Place.commit, name=name, text=text)


WITH_VARIABLE = 'variable "tag" {\n  type = string\n}\n' + job(config="command = var.tag")
TWO_GROUPS = job().replace('job "bad" {', 'job "bad" {\n  group "g" {\n    task "x" {}\n  }')


@cases(
    Case(
        name="syntax error",
        given=spec('job "bad" {\n  group "g" {\n'),
        words=(f"{BAD}:2:13: ", "2 |   group", "^", "no matching"),
    ),
    Case(
        name="unknown argument",
        given=spec(job(group="cuont = 2")),
        words=(f'{BAD}:3:5: Unknown argument "cuont" in group', 'Did you mean "count"?'),
    ),
    Case(
        name="unknown block",
        given=spec(job(group="netwrok {}")),
        words=(f'{BAD}:3:5: Unknown block "netwrok" in group', 'Did you mean "network"?'),
    ),
    Case(
        name="wrong type",
        given=spec(job(group='count = "two"')),
        words=(f'{BAD}:3:13: Invalid value of "count"', "a number is required"),
    ),
    Case(
        name="missing variable",
        given=spec(WITH_VARIABLE),
        words=(f'{BAD}:1:1: The variable "tag" has no value', "-var tag="),
    ),
    Case(
        name="undeclared variable",
        argv="plan -var tga=1",
        given=spec(WITH_VARIABLE.replace("string", 'string\n  default = "sleep"')),
        words=("-var tga: No spec declares the variable",),
    ),
    Case(name="variable without a value", argv="plan -var tag", words=("-var 'tag': no '='",)),
    Case(
        name="missing variable file",
        argv="plan -var-file no.hcl",
        words=("-var-file no.hcl: no such file or directory", "Name a readable file"),
    ),
    Case(
        name="variable file is a directory",
        argv="plan -var-file jobs",
        words=("-var-file jobs: is a directory",),
    ),
    Case(
        name="variable file is wrong",
        argv="plan -var-file v.hcl",
        given=spec("tag = \n", name="v.hcl"),
        words=("v.hcl:1:",),
    ),
    Case(
        name="duplicate group",
        given=spec(TWO_GROUPS),
        words=('A second group "g"', f"{BAD}:5:3: ", "Rename one of them"),
    ),
    Case(
        name="two files with one job",
        given=spec(job("web")),
        words=(
            'jobs/web.nomad.hcl:1:5: The job "web" is defined twice',
            f"The other one is at {BAD}:1:5. Rename or remove one of them.",
        ),
    ),
    Case(name="no job block", given=spec("\n"), words=(f"{BAD}: The job block is missing",)),
    Case(
        name="invalid JSON",
        given=spec('{"Job": \n]', name="jobs/bad.nomad.json"),
        words=("jobs/bad.nomad.json:2:1: ", "not valid JSON"),
    ),
    Case(name="not UTF-8", given=spec(b"\xff\xfe"), words=(f"{BAD}: not UTF-8 text",)),
    Case(
        name="no command",
        given=spec(job(config='cmd = "sleep"')),
        argv="validate -strict",
        words=(),
        out=(f"{BAD}:", "cmd", "Job validation failed"),
    ),
    Case(
        name="apply without a command",
        argv=APPLY,
        given=spec(job(config='cmd = "sleep"')),
        words=(
            f'{BAD}: job "bad", task "t": no argument is named "cmd"; did you mean "command"?',
            'the argument "command" is required',
            "Nothing was touched.",
        ),
    ),
    Case(
        name="no file",
        argv="plan jobs/none.nomad.hcl",
        words=("jobs/none.nomad.hcl: no such job file",),
    ),
    Case(
        name="file elsewhere",
        argv="plan /etc/passwd",
        words=("/etc/passwd: not in the repository ", "Move it into the repository"),
    ),
    Case(
        name="unknown revision",
        argv="plan -rev nosuch",
        words=("'nosuch' is no commit of ", "Name a commit, branch or tag"),
    ),
    Case(
        name="other namespace",
        given=spec(job().replace("{", '{\n  namespace = "prod"', 1)),
        words=(f'{BAD}:1:5: Job "bad" is in namespace "prod"', "orch.toml", "Known: default."),
    ),
    Case(
        name="unsupported block",
        argv=APPLY,
        given=spec(job(task='template {\n data = "x"\n destination = "local/x"\n}')),
        words=(f"{BAD}: job 'bad'", "template", "does not honour yet", "nothing was touched"),
    ),
    Case(
        name="sticky disk",
        argv=APPLY,
        given=spec(job(group="ephemeral_disk {\n sticky = true\n}")),
        words=("sticky", "does not honour yet"),
    ),
    Case(
        name="stop on client after",
        argv=APPLY,
        given=spec(job(group='disconnect {\n stop_on_client_after = "1m"\n}')),
        words=(
            "does not honour: disconnect.stop_on_client_after",
            "only where -lost or lost_after",
        ),
    ),
    Case(
        name="key file of terminal escapes",
        given=spec('job "bad" {\n  "\x1b]0;owned\x07" = 1\n}\n'),
        words=(f"{BAD}:2:",),
    ),
)
def test_bad_spec(case: Case, place: Place) -> None:
    check(case, place)


@cases(
    Case(
        name="constraint",
        given=spec(
            job(group='constraint {\n attribute = "${attr.kernel.name}"\n value = "plan9"\n}')
        ),
        words=(),
        out=('* Constraint "${attr.kernel.name} = plan9": 1 nodes excluded by filter',),
        code=4,
    ),
    Case(
        name="datacenter",
        given=spec(job().replace("{", '{\n  datacenters = ["mars"]', 1)),
        words=('Job "bad" is for mars/default (datacenter/node pool)', "are in dc1/default."),
        out=("* No nodes were eligible for evaluation",),
        code=4,
    ),
    Case(
        name="driver nobody has",
        given=spec(job().replace("raw_exec", "qemu")),
        words=(),
        out=('* Constraint "missing drivers": 1 nodes excluded by filter',),
        code=4,
    ),
    Case(
        name="driver nobody knows",
        given=spec(job().replace("raw_exec", "dokcer")),
        words=(),
        out=("missing drivers",),
        code=4,
    ),
    Case(
        name="memory",
        given=spec(job().replace("memory = 16", "memory = 99000000")),
        words=(),
        out=("* Resources exhausted on 1 nodes", '* Dimension "memory" exhausted on 1 nodes'),
        code=4,
    ),
)
def test_no_feasible_host(case: Case, place: Place) -> None:
    check(case, place)
    # The apply says the same, and leaves the job that does run alone.
    running = [path for path in place.print_of() if "/allocs/" in path]
    said = place.orch(*APPLY.split())
    assert said.code == 4, said
    assert [path for path in place.print_of() if "/allocs/" in path] == running


def test_a_port_of_another_job(place: Place, static_port: int) -> None:
    port = f'network {{\n port "x" {{ static = {static_port} }}\n}}'
    case = Case(
        name="port",
        given=spec(job(group=port)),
        words=(),
        out=("* Resources exhausted on 1 nodes", f"reserved port collision x={static_port}"),
        code=4,
    )
    check(case, place)
