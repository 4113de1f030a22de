"""How many results in a row a check takes to pass, or to fail."""

from __future__ import annotations

import pytest

from planner.check_status import CheckLevel, after, has_thresholds, initial, is_well
from planner.job import Check

LEVELS = {"+": CheckLevel.PASSING, "w": CheckLevel.WARNING, "-": CheckLevel.CRITICAL}
SIGNS = {level: sign for sign, level in LEVELS.items()}


def story(check: Check, results: str) -> str:
    """What the check is before its results and after each: ``+`` good, ``w`` warns, ``-`` bad."""
    status = initial(check)
    found = [status.level]
    for result in results:
        status = after(status, check, LEVELS[result])
        found.append(status.level)
    return "".join(SIGNS[level] for level in found)


@pytest.mark.parametrize(
    ("check", "results", "expected"),
    [
        (Check(), "+-+", "-+-+"),
        (Check(initial_status="passing"), "-", "+-"),
        (Check(initial_status="warning"), "+", "w+"),
        (Check(success_before_passing=3), "++-+++", "------+"),
        (Check(success_before_passing=2), "++--++", "--+---+"),
        (Check(failures_before_critical=3), "+--+---", "-+++++" + "+-"),
        (Check(failures_before_critical=4, failures_before_warning=2), "+--", "-++w"),
        (Check(failures_before_critical=3, failures_before_warning=2), "+---", "-++w-"),
        (Check(failures_before_warning=2), "+--", "-++-"),
        (Check(), "ww-w+", "-ww-w+"),
        (Check(failures_before_critical=2), "+-w-", "-++ww"),
        (Check(success_before_passing=2), "w-ww+w", "---" + "-w+w"),
        # What is critical is no better for one more failure.
        (Check(failures_before_critical=9, failures_before_warning=1), "-+-", "--+w"),
    ],
)
def test_results_in_a_row_decide(check: Check, results: str, expected: str) -> None:
    assert story(check, results) == expected


@pytest.mark.parametrize(
    ("on_update", "well"),
    [("", "+"), ("require_healthy", "+"), ("ignore_warnings", "+w"), ("ignore", "+w-")],
)
def test_what_counts_for_health(on_update: str, well: str) -> None:
    check = Check(on_update=on_update)
    assert "".join(sign for sign, level in LEVELS.items() if is_well(check, level)) == well


def test_only_numbers_above_one_are_thresholds() -> None:
    assert not has_thresholds(Check(success_before_passing=1, failures_before_critical=1))
    assert has_thresholds(Check(failures_before_critical=2))
    assert has_thresholds(Check(success_before_passing=2))
