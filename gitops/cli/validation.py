"""What `orch validate` finds: errors, warnings, and what orch does not honour, or in part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gitops.config import NoConfigError
from gitops.diagnostics import Diagnostic, SpecErrors
from gitops.jobspec.spec import LoadedSpec
from gitops.request import SpecRequest
from gitops.specs import read_parsed, read_specs
from gitops.view.formats import FORMATS
from gitops.view.support import NOT, PART, Support
from gitops.workspace import open_workspace

if TYPE_CHECKING:
    from gitops.view import shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdict on the specs that were read."""

    diagnostics: tuple[Diagnostic, ...] = ()
    specs: tuple[LoadedSpec, ...] = ()
    valid: bool = True

    @property
    def exit_code(self) -> int:
        """0 valid, 1 not."""
        return 0 if self.valid else 1

    def text(self) -> str:
        """The report for a person."""
        lines = [d.text() for d in self.diagnostics]
        verdict = "Job validation successful" if self.valid else "Job validation failed"
        return "\n".join([*lines, *([""] if lines else []), verdict])

    def data(self) -> shapes.Validation:
        """The report for a program."""
        return {
            "format_version": FORMATS["validate"],
            "valid": self.valid,
            "diagnostics": [_diagnostic(d) for d in self.diagnostics],
            "unsupported": [
                {
                    "path": spec.path,
                    "block": limit.name,
                    "part": limit.part,
                    "range": _range(limit.place),
                }
                for spec in self.specs
                for limit in spec.limits
            ],
        }


def check(request: SpecRequest, *, strict: bool) -> Report:
    """Read the specs and report on them; with `strict`, a warning is an error."""
    try:
        specs = _specs(request)
    except SpecErrors as e:
        return Report(diagnostics=e.diagnostics, valid=False)
    warnings = _warnings(specs)
    valid = not (warnings and strict)
    return Report(diagnostics=warnings, specs=specs, valid=valid)


def _specs(request: SpecRequest) -> tuple[LoadedSpec, ...]:
    """Read the specs of the repository; files that are named need none."""
    try:
        workspace = open_workspace(Path.cwd())
    except NoConfigError:
        if not request.files or request.rev:
            raise
        from gitops.lone_files import lone_specs

        return lone_specs(request)
    return read_specs(workspace, request, sourced=False).loaded


@dataclass(frozen=True, slots=True)
class Summary:
    """What the jobs of many files ask for, and what is wrong with files."""

    support: Support

    def exit_code(self, *, strict: bool) -> int:
        """1 if a file is wrong or, with `strict`, if anything is not honoured in full."""
        limited = self.support.of(NOT) or self.support.of(PART)
        return int(bool(self.support.broken or (strict and limited)))

    def text(self) -> str:
        """The table for a person."""
        return self.support.text()

    def data(self) -> shapes.SupportReport:
        """The table for a program."""
        broken = [d for found in self.support.broken.values() for d in found]
        return {
            "format_version": FORMATS["report"],
            "Jobs": self.support.files,
            "Blocks": self.support.data(),
            "diagnostics": [_diagnostic(d) for d in broken],
        }


def report(request: SpecRequest) -> Summary:
    """Sum up what the jobs of the files and folders that are named ask for."""
    from gitops.cli import supporting

    return Summary(supporting.report(request.files, request))


def parsed(request: SpecRequest) -> dict[str, Any]:
    """Return the job of the one named file as the API takes it, in the order of its names.

    Raises `SpecErrors` where it can't be parsed.
    """
    data = read_parsed(open_workspace(Path.cwd()), request)
    return cast("dict[str, Any]", json.loads(json.dumps(data, sort_keys=True)))


def _warnings(specs: Sequence[LoadedSpec]) -> tuple[Diagnostic, ...]:
    """Return the warnings of all files, each file's in the order of its lines."""
    found: list[Diagnostic] = []
    for spec in specs:
        limits = [limit.warning for limit in spec.limits if not limit.quiet]
        found += sorted((*spec.warnings, *limits), key=lambda d: (d.line, d.column))
    return tuple(found)


def _diagnostic(d: Diagnostic) -> shapes.Diagnostic:
    return {
        "severity": d.severity,
        "summary": d.summary,
        "detail": d.detail,
        "range": _range(d),
    }


def _range(d: Diagnostic) -> shapes.Range:
    return {
        "filename": d.path,
        "start": {"line": d.line, "column": d.column},
        "end": {"line": d.end_line or d.line, "column": d.end_column or d.column},
    }
