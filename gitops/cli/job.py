"""Commands on job specs, and those that bring about what they say."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gitops.cli.loop import finished
from gitops.cli.options import (
    AllowDirty,
    AutoApprove,
    CheckIndex,
    Files,
    Format,
    Hcl2Strict,
    IgnoreUnsupported,
    Json,
    Limit,
    Lost,
    NoColor,
    NoHooks,
    OnUnreachable,
    Order,
    Parallelism,
    PlanFormat,
    Rev,
    Target,
    Var,
    VarFile,
    Verbose,
)
from gitops.cli.say import coloured, say, say_json
from gitops.exit_codes import CHANGES
from gitops.request import SpecRequest

if TYPE_CHECKING:
    from gitops.cli.look import Look


def validate(
    files: Files = None,
    var: Var = None,
    var_file: VarFile = None,
    hcl2_strict: Hcl2Strict = "true",
    rev: Rev = "",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors.")] = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Only sum up what is honoured, of files and folders."),
    ] = False,
    json: Json = False,
) -> None:
    """Check job specs without touching the ledger or any host."""
    from gitops.cli import validation

    if report:
        found = validation.report(_request(files, var, var_file, rev, strict=False))
        say_json(found.data()) if json else say(found.text())
        raise typer.Exit(found.exit_code(strict=strict))
    request = _request(files, var, var_file, rev, strict=hcl2_strict == "true")
    verdict = validation.check(request, strict=strict)
    say_json(verdict.data()) if json else say(verdict.text())
    raise typer.Exit(verdict.exit_code)


def fmt(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files, folders, or - for stdin; none: here."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Write nothing; exit 1 if it would.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes.")] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Folders in folders too.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="-write=false: change no file.")
    ] = True,
    list_: Annotated[
        bool, typer.Option("--list/--no-list", help="-list=false: name no file.")
    ] = True,
) -> None:
    """Format HCL files: indents, columns, blanks; comments stay."""
    from gitops.cli import fmt as formatting

    wish = formatting.Wish(check=check, diff=diff, write=write, list=list_, recursive=recursive)
    raise typer.Exit(formatting.fmt(paths or (), wish))


def plan(
    files: Files = None,
    var: Var = None,
    var_file: VarFile = None,
    hcl2_strict: Hcl2Strict = "true",
    rev: Rev = "",
    limit: Limit = "",
    target: Target = None,
    lost: Lost = None,
    on_unreachable: OnUnreachable = "skip",
    update_order: Order = "",
    parallelism: Parallelism = 0,
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Save the plan, for 'orch apply FILE'.")
    ] = "",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say of each host why it was taken or left out.")
    ] = False,
    what_if: Annotated[
        str,
        typer.Option(
            "--what-if",
            metavar="host=NAME:down,job=NAME:count=N",
            help="Suppose that; the plan is only shown.",
        ),
    ] = "",
    form: Format = PlanFormat.TEXT,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Show what an apply would change, where and why."""
    from gitops.cli import flow

    look = _look(form, json=json, verbose=verbose, no_color=no_color, explain=explain)
    request = replace(
        _request(files, var, var_file, rev, strict=hcl2_strict == "true"),
        limit=limit,
        targets=tuple(target or ()),
        lost=tuple(lost or ()),
        fails_unreachable=on_unreachable == "fail",
        order=update_order,
    )
    code = finished(flow.plan(request, look, out, parallelism, what_if))
    if code == CHANGES and not detailed_exitcode:
        code = 0
    raise typer.Exit(code)


def show(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A saved plan.")],
    form: Format = PlanFormat.TEXT,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Show a saved plan; ask neither the ledger nor any host."""
    from gitops.cli import flow

    flow.show(file, _look(form, json=json, verbose=verbose, no_color=no_color))


def apply(
    files: Files = None,
    var: Var = None,
    var_file: VarFile = None,
    hcl2_strict: Hcl2Strict = "true",
    rev: Rev = "",
    limit: Limit = "",
    target: Target = None,
    lost: Lost = None,
    on_unreachable: OnUnreachable = "skip",
    update_order: Order = "",
    parallelism: Parallelism = 0,
    check_index: CheckIndex = None,
    auto_approve: AutoApprove = False,
    allow_dirty: AllowDirty = False,
    ignore_unsupported: IgnoreUnsupported = None,
    no_hooks: NoHooks = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what was interrupted, as recorded.")
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Plan, ask, and carry it out; or carry out a saved plan."""
    from gitops.cli import flow
    from gitops.cli.look import Approval

    approval = Approval(
        check_index=check_index,
        auto_approve=auto_approve,
        allow_dirty=allow_dirty,
        ignored=tuple(ignore_unsupported or ()),
        no_hooks=no_hooks,
    )
    look = _look(json=json, verbose=verbose, no_color=no_color)
    if resume:
        _resumed(look, auto_approve, given=bool(files or rev or target or limit or var or var_file))
    request = replace(
        _request(files, var, var_file, rev, strict=hcl2_strict == "true"),
        limit=limit,
        targets=tuple(target or ()),
        lost=tuple(lost or ()),
        fails_unreachable=on_unreachable == "fail",
        order=update_order,
    )
    raise typer.Exit(finished(flow.apply(request, approval, look, parallelism=parallelism)))


def _resumed(look: Look, auto_approve: bool, *, given: bool) -> NoReturn:
    from gitops.cli import resuming

    if given:
        raise typer.BadParameter("-resume goes on with what is recorded: name nothing more")
    raise typer.Exit(finished(resuming.resume(look, ask=not auto_approve)))


def run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A job file.")],
    var: Var = None,
    var_file: VarFile = None,
    hcl2_strict: Hcl2Strict = "true",
    limit: Limit = "",
    update_order: Order = "",
    parallelism: Parallelism = 0,
    check_index: CheckIndex = None,
    allow_dirty: AllowDirty = False,
    ignore_unsupported: IgnoreUnsupported = None,
    no_hooks: NoHooks = False,
    output: Annotated[
        bool, typer.Option("--output", help="Only print the job as Nomad's API takes it.")
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Apply one job file without asking; or print it as JSON."""
    from gitops.cli import flow
    from gitops.cli.look import Approval

    if output:
        from gitops.cli.validation import parsed

        say_json({"Job": parsed(_request([file], var, var_file, "", strict=hcl2_strict == "true"))})
        raise typer.Exit(0)
    approval = Approval(
        check_index=check_index,
        auto_approve=True,
        allow_dirty=allow_dirty,
        ignored=tuple(ignore_unsupported or ()),
        no_hooks=no_hooks,
    )
    look = _look(json=json, verbose=verbose, no_color=no_color)
    request = replace(
        _request([file], var, var_file, "", strict=hcl2_strict == "true"),
        limit=limit,
        order=update_order,
    )
    raise typer.Exit(finished(flow.apply(request, approval, look, parallelism=parallelism)))


def _look(
    form: PlanFormat = PlanFormat.TEXT,
    *,
    json: bool,
    verbose: bool,
    no_color: bool,
    explain: bool = False,
) -> Look:
    from gitops.cli.look import Look

    return Look(
        json=json or form is PlanFormat.JSON,
        markdown=form is PlanFormat.MARKDOWN and not json,
        verbose=verbose,
        colour=coloured(sys.stdout, no_color),
        explain=explain,
    )


def _request(
    files: list[str] | None,
    var: list[str] | None,
    var_file: list[str] | None,
    rev: str,
    *,
    strict: bool,
) -> SpecRequest:
    return SpecRequest(
        files=tuple(files or ()),
        variables=tuple(var or ()),
        var_files=tuple(var_file or ()),
        rev=rev,
        strict=strict,
    )
