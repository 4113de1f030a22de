"""Everything that runs a command holds what it prints with -json against docs/schema here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

from jsonschema import Draft202012Validator, exceptions
from jsonschema.exceptions import ValidationError

from gitops.cli.program import two_dashes
from tests.docs import schemas

_PLAN = ("plan",)
# The deployment, where another run does it.
_INTERVENED = ("plan", "deployment")
_ANY_STATUS = ("job-list", "job", "alloc", "node-list", "deployment", "evaluation")
# By the words of a command: the schemas of what it may print.
SCHEMAS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("alloc", "checks"): ("check-list",),
    ("alloc", "fs"): ("file-list", "file"),
    ("alloc", "status"): ("alloc",),
    ("alloc", "stop"): _PLAN,
    ("apply",): _PLAN,
    ("job", "allocs"): ("alloc-list",),
    ("job", "deployments"): ("deployment-list", "latest-deployment"),
    ("job", "eval"): _PLAN,
    ("job", "history"): ("history",),
    ("job", "inspect"): ("inspect",),
    ("job", "plan"): _PLAN,
    ("job", "promote"): _INTERVENED,
    ("job", "restart"): ("job-restart",),
    ("job", "revert"): _PLAN,
    ("job", "run"): _PLAN,
    ("job", "scale"): _PLAN,
    ("job", "scaling-events"): ("scaling-events",),
    ("job", "start"): _PLAN,
    ("job", "status"): ("job-list", "job"),
    ("job", "stop"): _PLAN,
    ("job", "tag", "apply"): ("tagged-version",),
    ("job", "tag", "unset"): ("tagged-version",),
    ("job", "validate"): ("validate",),
    ("start",): _PLAN,
    ("deployment", "fail"): _INTERVENED,
    ("deployment", "health"): _INTERVENED,
    ("deployment", "pause"): ("deployment",),
    ("deployment", "promote"): _INTERVENED,
    ("deployment", "resume"): _INTERVENED,
    ("deployment", "list"): ("deployment-list",),
    ("deployment", "status"): ("deployment", "deployment-list"),
    ("eval", "list"): ("evaluation-list",),
    ("eval", "status"): ("evaluation",),
    ("history",): ("history",),
    ("host", "check"): ("host-check",),
    ("doctor",): ("diagnosis",),
    ("host", "trust"): ("host-keys",),
    ("host", "setup"): ("host-setup", "host-profiles"),
    ("hosts", "cp"): ("host-ends",),
    ("hosts", "exec"): ("host-ends",),
    ("hosts", "list"): ("host-list",),
    ("inspect",): ("inspect",),
    ("ledger", "check"): ("ledger-check",),
    ("ledger", "status"): ("ledger-status",),
    ("lock", "break"): ("broken-lock",),
    ("lock", "status"): ("locks",),
    ("node", "drain"): ("node-drain", "node-decision"),
    ("node", "eligibility"): ("node-decision",),
    ("node", "status"): ("node-list",),
    ("plan",): _PLAN,
    ("rollback",): _PLAN,
    ("run",): _PLAN,
    ("server", "members"): ("members",),
    ("service", "info"): ("service",),
    ("service", "list"): ("service-list",),
    ("show",): _PLAN,
    ("status",): _ANY_STATUS,
    ("system", "gc"): ("garbage",),
    ("stop",): _PLAN,
    ("validate",): ("validate",),
    ("version",): ("version",),
}
_ALWAYS = {("inspect",), ("job", "inspect")}
_HELP = {"-h", "--help"}
_CLOSEST = cast("Any", exceptions).best_match


def check(argv: Sequence[str], out: str) -> None:
    """Fail where a command was told -json, and its output is not as its schema has it.

    A command that failed may have printed nothing. Keys that a schema does not name are wrong.
    """
    words = two_dashes(argv)
    command = next((c for n in (3, 2, 1) if (c := tuple(words[:n])) in SCHEMAS), ())
    names = _schemas(command, words)
    if not names or not out:
        return
    if command == ("alloc", "fs") and not out.startswith(("[", "{")):
        return  # the bytes of a file, as they are
    for text in out.splitlines() if "--watch" in words else [out]:
        value = json.loads(text)
        errors = {name: _errors(name, value) for name in names}
        if all(errors.values()):
            raise AssertionError(f"orch {' '.join(argv)}: {_told(errors)}")


def _errors(name: str, value: Any) -> list[ValidationError]:  # noqa: ANN401
    found: Any = cast("Any", _validator(name)).iter_errors(value)
    return list(found)


def _schemas(command: tuple[str, ...], words: Sequence[str]) -> tuple[str, ...]:
    if command[-1:] == ("run",) and "--output" in words:
        return ("job-file",)
    formats = ("--format=json" in words, "json" in words[:-1] and "--format" in words)
    if _HELP & set(words):
        return ()
    if not ("--json" in words or command in _ALWAYS or any(formats)):
        return ()
    assert command, f"no schema is known for {words[:2]}: see tests/json_output.py"
    if command[-1:] == ("validate",) and "--report" in words:
        return ("report",)
    return SCHEMAS[command]


@cache
def _validator(name: str) -> Draft202012Validator:
    text = (schemas.FOLDER / f"{name}.json").read_text()
    return Draft202012Validator(schemas.strict(json.loads(text)))


def _told(errors: Mapping[str, list[ValidationError]]) -> str:
    """The errors under the schema that comes closest."""
    name, found = min(errors.items(), key=lambda pair: len(pair[1]))
    return f"not as docs/schema/{name}.json has it: " + "; ".join(_lines(found[:5]))


def _lines(errors: Sequence[ValidationError]) -> Iterator[str]:
    for error in errors:
        closest: ValidationError = _CLOSEST([error]) or error
        yield f"{closest.json_path}: {closest.message[:300]}"
