"""Findings as text and as JSON values: what is as it should be, what is not, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from executors.findings import Finding, Result
from gitops.host_reports import HostReport
from gitops.view.columns import WIDTH, wrapped_table
from gitops.view.names import few
from gitops.view.safe import clean

if TYPE_CHECKING:
    from gitops.view import fleet_shapes

_NAMED = 4
_RESULT = max(len(r) for r in Result)


def check_table(findings: Iterable[Finding]) -> list[str]:
    """Return a table with a row for each finding."""
    rows = [(f.name, f.result, f.detail) for f in findings]
    return wrapped_table(("Check", "Result", "Detail"), rows)


def host_checks(reports: Sequence[HostReport], *, verbose: bool) -> str:
    """Return all of one host, of several what is to be mended, and then how."""
    if not reports:
        return "No hosts in the inventory\n"
    if verbose or len(reports) == 1:
        parts = [
            [f"Host {r.host}: {outcome(r.findings)}", *check_table(r.findings)] for r in reports
        ]
    else:
        parts = [_troubles(reports)]
    steps = remedies((r.host, f) for r in reports for f in r.findings)
    return "\n\n".join("\n".join(lines) for lines in (*parts, *([steps] if steps else []))) + "\n"


def sections(parts: Mapping[str, Sequence[Finding]]) -> str:
    """Return findings below their titles, and then what to do."""
    width = max((len(f.name) for found in parts.values() for f in found), default=0)
    blocks: list[list[str]] = []
    for title, found in parts.items():
        rows = [(f.name.ljust(width), f.result.ljust(_RESULT), f.detail) for f in found]
        blocks.append([title, *wrapped_table(("", "", ""), rows)[1:]])
    steps = remedies((owner, f) for found in parts.values() for owner, f in _owned(found))
    return "\n\n".join("\n".join(lines) for lines in (*blocks, *([steps] if steps else []))) + "\n"


def _owned(findings: Iterable[Finding]) -> Iterator[tuple[str, Finding]]:
    """Yield findings with nobody as their owner; those with one remedy are told as one."""
    names: dict[str, list[str]] = {}
    for finding in findings:
        if finding.is_trouble and finding.remedy:
            names.setdefault(finding.remedy, []).append(finding.name)
    for remedy, who in names.items():
        yield "", Finding(name=few(who, _NAMED), result=Result.WARNING, remedy=remedy)


def sections_data(parts: Mapping[str, Sequence[Finding]]) -> list[fleet_shapes.DiagnosisSection]:
    """Return the sections as JSON values."""
    return [
        {"Title": title, "Findings": [finding_data(f) for f in found]}
        for title, found in parts.items()
    ]


def _troubles(reports: Iterable[HostReport]) -> list[str]:
    rows: list[tuple[str, str, str, str]] = []
    for report in reports:
        bad = [f for f in report.findings if f.is_trouble]
        rows += [(report.host, f.name, f.result, f.detail) for f in bad]
        if not bad:
            rows.append((report.host, "all", Result.OK, f"{len(report.findings)} checks"))
    return wrapped_table(("Host", "Check", "Result", "Detail"), rows)


def outcome(findings: Sequence[Finding]) -> str:
    """Return how many of them are no good, in words."""
    failed = sum(f.result is Result.FAILED for f in findings)
    warned = sum(f.result is Result.WARNING for f in findings)
    parts = [f"{failed} failed"] if failed else []
    parts += [f"{warned} warning{'s' if warned > 1 else ''}"] if warned else []
    return ", ".join(parts) or "ok"


def remedies(found: Iterable[tuple[str, Finding]]) -> list[str]:
    """Return each remedy once, below what it is for; `found` has findings with their owners."""
    owners: dict[tuple[str, str], list[str]] = {}
    for owner, finding in found:
        if finding.is_trouble and finding.remedy:
            owners.setdefault((finding.name, finding.remedy), []).append(owner)
    lines: list[str] = []
    for (name, remedy), who in owners.items():
        named = few([clean(w) for w in who if w], _NAMED)
        lines.append(f"{name} on {named}:" if named else f"{name}:")
        lines += [f"  {line}" for part in _sentence(remedy).splitlines() for line in _filled(part)]
    return ["Next steps", *lines] if lines else []


def _sentence(remedy: str) -> str:
    text = "\n".join(clean(line) for line in remedy.splitlines()).replace("`", "'")
    return text if text.startswith("orch ") else text[:1].upper() + text[1:]


def _filled(line: str) -> list[str]:
    """Fill prose; indented lines are to be copied, and stay whole."""
    if line.startswith(" "):
        return [line]
    return wrap(line, WIDTH - 2, break_long_words=False, break_on_hyphens=False) or [""]


def summary(reports: Sequence[HostReport]) -> str:
    """Return one line: how many hosts are fit, and how many are not."""
    lost = sum(not r.reached for r in reports)
    results = [r.result for r in reports if r.reached]
    counts = {
        "ok": results.count(Result.OK),
        "with warnings": results.count(Result.WARNING),
        "failed": results.count(Result.FAILED),
        "not reached": lost,
    }
    told = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    return f"{len(reports)} host{'s' if len(reports) != 1 else ''}: {told or 'none to look at'}"


def data(reports: Iterable[HostReport]) -> list[fleet_shapes.HostReport]:
    """Return the reports as JSON values."""
    return [
        {
            "Host": r.host,
            "Reached": r.reached,
            "Result": r.result,
            "Findings": [finding_data(f) for f in r.findings],
        }
        for r in reports
    ]


def finding_data(finding: Finding) -> fleet_shapes.Finding:
    """Return a finding as a JSON value."""
    return {
        "Name": finding.name,
        "Result": finding.result,
        "Detail": clean(finding.detail),
        "Remedy": finding.remedy,
    }
