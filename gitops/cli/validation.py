"""What `orch validate` finds: errors, warnings, and blocks that orch does not honour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from executors.driver import config_problems
from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.request import SpecRequest
from gitops.specs import Specs, read_parsed, read_specs
from gitops.view.plan_json import FORMAT_VERSION
from gitops.workspace import open_workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdict on the specs that were read."""

    diagnostics: tuple[Diagnostic, ...] = ()
    unsupported: tuple[tuple[str, str], ...] = ()
    valid: bool = True

    @property
    def exit_code(self) -> int:
        """0 valid, 1 not."""
        return 0 if self.valid else 1

    def text(self) -> str:
        """The report for a person."""
        lines = [d.text() for d in self.diagnostics]
        lines += [
            f"{path}: warning: {block} is not honoured yet; apply will refuse the job"
            for path, block in self.unsupported
        ]
        verdict = "Job validation successful" if self.valid else "Job validation failed"
        return "\n".join([*lines, *([""] if lines else []), verdict])

    def data(self) -> dict[str, Any]:
        """The report for a program."""
        return {
            "format_version": FORMAT_VERSION,
            "valid": self.valid,
            "diagnostics": [_diagnostic(d) for d in self.diagnostics],
            "unsupported": [{"path": p, "block": b} for p, b in self.unsupported],
        }


def check(request: SpecRequest, *, strict: bool) -> Report:
    """Read the specs and report on them; with `strict`, a warning is an error."""
    try:
        specs = read_specs(open_workspace(Path.cwd()), request)
    except SpecErrors as e:
        return Report(diagnostics=e.diagnostics, valid=False)
    unsupported = _unsupported(specs)
    wrong = tuple(
        Diagnostic(path=s.path, line=0, column=0, summary=problem)
        for s in specs.loaded
        for problem in config_problems(s.job)
    )
    clean = not specs.warnings and not unsupported
    return Report(
        diagnostics=(*wrong, *specs.warnings),
        unsupported=unsupported,
        valid=not wrong and (clean or not strict),
    )


def parsed(request: SpecRequest) -> dict[str, Any]:
    """Return the job of the one named file as the API takes it, in the order of its names.

    Raises `SpecErrors` where it can't be parsed.
    """
    data = read_parsed(open_workspace(Path.cwd()), request)
    return cast("dict[str, Any]", json.loads(json.dumps(data, sort_keys=True)))


def _unsupported(specs: Specs) -> tuple[tuple[str, str], ...]:
    from gitops.jobspec.unsupported import unsupported

    return tuple((s.path, block) for s in specs.loaded for block in unsupported(s.job))


def _diagnostic(d: Diagnostic) -> dict[str, Any]:
    return {
        "severity": d.severity,
        "summary": d.summary,
        "detail": d.detail,
        "range": {
            "filename": d.path,
            "start": {"line": d.line, "column": d.column},
            "end": {"line": d.line, "column": d.end_column or d.column},
        },
    }
