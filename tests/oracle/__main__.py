"""`python -m tests.oracle DIR…`: replays recordings, tells every difference and the figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.oracle import check_placement, check_plan, check_spec, expressions, rules
from tests.oracle.case import Case, cases
from tests.oracle.node import read_node
from tests.oracle.placement import placement_cases
from tests.oracle.report import Compared, Report, Say
from tests.oracle.timelines import checks
from tests.oracle.timelines import rules as timeline_rules
from tests.oracle.timelines.replay import scenarios

CHECKS: dict[str, Callable[[Case], Compared | None]] = {
    "parse": check_spec.parse,
    "canonical": check_spec.canonical,
    "validate": check_spec.validate,
    "diff": check_plan.diff,
    "json": check_plan.json,
    "exit": check_plan.exit_code,
}


def replay(directory: Path, report: Report) -> None:
    """Replay every part of a directory that is there."""
    directory = directory.resolve()
    if (directory / "cases").is_dir() and (directory / "node.json").is_file():
        _cases(directory, report)
    else:
        report.skip(f"{directory}/cases: not there, or no node.json")
    if (directory / "expressions" / "cases.jsonl").is_file():
        expressions.replay(directory / "expressions", report)
    else:
        report.skip(f"{directory}/expressions: not there")
    if (directory / "placement").is_dir():
        _placements(directory / "placement", report)
    else:
        report.skip(f"{directory}/placement: not there")
    if (directory / "timelines").is_dir():
        _timelines(directory / "timelines", report)
    else:
        report.skip(f"{directory}/timelines: not there")


def _cases(directory: Path, report: Report) -> None:
    node = read_node(directory / "node.json")
    for case in cases(directory / "cases", node, report.touch):
        for name, check in CHECKS.items():
            report.check(case.name, name, partial(check, case))


def _placements(directory: Path, report: Report) -> None:
    for case in placement_cases(directory):
        for name, check in check_placement.CHECKS.items():
            report.check(case.name, name, partial(check, case))
        for rule in {check_placement.excuse(case, e) for e in case.file.placements} - {""}:
            report.touch(rule, case.name)


def _timelines(directory: Path, report: Report) -> None:
    for scenario in scenarios(directory, report.touch):
        if rule := timeline_rules.skipped(scenario):
            report.touch(rule, scenario.name)
            continue
        if scenario.out_of_reach:
            report.skip(f"{scenario.name}: not in reach: {scenario.out_of_reach}")
            continue
        for name, check in checks.CHECKS.items():
            report.check(scenario.name, name, partial(check, scenario))


def main(arguments: Sequence[str], say: Say = print) -> int:
    """Replay directories; 0 only where nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("directory", nargs="+", type=Path)
    report = Report(say)
    for directory in parser.parse_args(arguments).directory:
        replay(directory, report)
    return 0 if report.close(rules.IDS) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
