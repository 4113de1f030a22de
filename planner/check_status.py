"""What a check's results come to: how many in a row it takes to pass, to warn, or to fail. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from planner.job import Check


class CheckLevel(IntEnum):
    """What one result says, and what a check is; more is worse."""

    PASSING = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """One result of a check: why it does not pass, or empty.

    What was not `made` says nothing of the service: its host or the way to it is to blame.
    """

    why: str = ""
    level: CheckLevel = CheckLevel.PASSING
    made: bool = True


PASSES = CheckAnswer()


def fails(why: str) -> CheckAnswer:
    """Return the result of a check that fails."""
    return CheckAnswer(why=why, level=CheckLevel.CRITICAL)


def warns(why: str) -> CheckAnswer:
    """Return the result of a check that warns."""
    return CheckAnswer(why=why, level=CheckLevel.WARNING)


def unmade(why: str) -> CheckAnswer:
    """Return what stands for a result where the check could not be made."""
    return CheckAnswer(why=why, level=CheckLevel.CRITICAL, made=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus:
    """What a check is, and how many results in a row passed (or warned), or failed."""

    level: CheckLevel = CheckLevel.CRITICAL
    successes: int = 0
    failures: int = 0

    @property
    def passing(self) -> bool:
        """Whether it passes, without a warning."""
        return self.level is CheckLevel.PASSING


def has_thresholds(check: Check) -> bool:
    """Whether single results do not decide, so that results must be `interval` apart."""
    return max(_to_pass(check), _to_fail(check)) > 1


def restarts(check: Check) -> bool:
    """Whether the check is one that restarts tasks."""
    return check.check_restart is not None and check.check_restart.limit > 0


def initial(check: Check) -> CheckStatus:
    """Return what a check is before it was first made."""
    named = {"passing": CheckLevel.PASSING, "warning": CheckLevel.WARNING}
    return CheckStatus(level=named.get(check.initial_status, CheckLevel.CRITICAL))


def after(status: CheckStatus, check: Check, result: CheckLevel) -> CheckStatus:
    """Return the status after one more result."""
    if result is CheckLevel.CRITICAL:
        failures = status.failures + 1
        return CheckStatus(level=max(status.level, _failed(check, failures)), failures=failures)
    successes = status.successes + 1
    decides = status.passing or successes >= _to_pass(check)
    level = result if decides else status.level
    return replace(status, level=level, successes=successes, failures=0)


def is_well(check: Check, level: CheckLevel) -> bool:
    """Whether an allocation whose check is so may be healthy, as the check's `on_update` has it."""
    if check.on_update == "ignore":
        return True
    return level <= (
        CheckLevel.WARNING if check.on_update == "ignore_warnings" else CheckLevel.PASSING
    )


def _failed(check: Check, failures: int) -> CheckLevel:
    """What so many failures in a row make of a check that passes."""
    if failures >= _to_be_critical(check):
        return CheckLevel.CRITICAL
    return CheckLevel.WARNING if failures >= _to_fail(check) else CheckLevel.PASSING


def _to_pass(check: Check) -> int:
    return max(check.success_before_passing, 1)


def _to_be_critical(check: Check) -> int:
    return check.failures_before_critical or _to_fail(check)


def _to_fail(check: Check) -> int:
    """Results that make a passing check fail, or warn."""
    wanted = [n for n in (check.failures_before_critical, check.failures_before_warning) if n > 0]
    return min(wanted, default=1)
