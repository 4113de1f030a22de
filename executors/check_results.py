"""The results of an allocation's checks so far: which are due, and which fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from executors.checks import BoundCheck
from planner.check_status import (
    CheckAnswer,
    CheckLevel,
    CheckStatus,
    after,
    has_thresholds,
    initial,
    is_well,
)
from planner.job import SECOND, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """One check: what its results come to, when it was made last, and why it failed then."""

    status: CheckStatus
    at: float = -1.0
    why: str = "it was not made yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """All checks of one allocation, by their place in its group. Times are monotonic seconds."""

    results: Mapping[int, _Result] = field(default_factory=dict[int, _Result])
    checks: tuple[BoundCheck, ...] = ()

    @staticmethod
    def of(checks: Sequence[BoundCheck]) -> Checked:
        """Checks that were not made yet."""
        results = {i: _Result(status=initial(c.check)) for i, c in enumerate(checks)}
        return Checked(results=results, checks=tuple(checks))

    @property
    def at(self) -> float:
        """When the one was made that was made longest ago; 0 where there is none."""
        return max(min((r.at for r in self.results.values()), default=0.0), 0.0)

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of those that fail, each with the reason."""
        made = ((self.checks[i], r) for i, r in self.results.items())
        bad = ((c.name, r) for c, r in made if not is_well(c.check, r.status.level))
        return tuple(f'"{name}" ({_why(r)})' for name, r in bad)

    async def made_anew(
        self,
        checks: Sequence[BoundCheck],
        now: float,
        update: Update,
        make: Callable[[BoundCheck], Awaitable[CheckAnswer]],
    ) -> tuple[Checked, dict[int, CheckLevel]]:
        """Make those of the checks that are due, side by side; the others stand as they were.

        Returns all results, and the levels of those that were made now, by place. What could not be
        made has none. Results count from `now`: what they prove was true by then at the latest.
        """
        due = self.due(checks, now, update)
        made = await asyncio.gather(*(make(checks[i]) for i in due))
        answers = dict(zip(due, made, strict=True))
        after = self.after(checks, answers, now)
        return after, {i: after.results[i].status.level for i, a in answers.items() if a.made}

    def due(self, checks: Sequence[BoundCheck], now: float, update: Update) -> tuple[int, ...]:
        """Places of the checks to make now."""
        return tuple(i for i, c in enumerate(checks) if self._is_due(i, c, now, update))

    def _is_due(self, place: int, bound: BoundCheck, now: float, update: Update) -> bool:
        last = self.results.get(place)
        if last is None or last.at < 0:
            return True
        check = bound.check
        if has_thresholds(check):
            return now - last.at >= check.interval / SECOND
        # One that fails is made at each look, so that its recovery is seen at once.
        often = min(check.interval, update.min_healthy_time) / SECOND
        return not last.status.passing or now - last.at >= often

    def after(
        self, checks: Sequence[BoundCheck], answers: Mapping[int, CheckAnswer], now: float
    ) -> Checked:
        """The results with those answers, by place."""
        results = dict(self.results)
        for place, answer in answers.items():
            check = checks[place].check
            before = results.get(place) or _Result(status=initial(check))
            status = after(before.status, check, answer.level)
            results[place] = _Result(status=status, at=now, why=answer.why)
        return Checked(results=results, checks=tuple(checks))


def _why(result: _Result) -> str:
    return result.why or f"{result.status.successes} of the results in a row that it takes"
