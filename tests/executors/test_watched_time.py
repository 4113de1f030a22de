"""Deadlines count the time that somebody has watched."""

from __future__ import annotations

from dataclasses import dataclass

from executors.clock import WatchedTime
from executors.sim.clock import EPOCH, VirtualClock
from executors.waiting import Progress
from planner.job import MINUTE, SECOND
from planner.recorded import Deployment, DeploymentGroup, JobState

GROUP = DeploymentGroup(desired_total=1, progress_deadline=MINUTE)
STATE = JobState(key="web", deployments=(Deployment(id="d", job_version=0, groups={"g": GROUP}),))


@dataclass(slots=True)
class Watcher:
    """Asks at each second whether the deadline is over."""

    clock: VirtualClock
    time: WatchedTime
    progress: Progress

    def is_overdue(self, second: int) -> bool:
        self.clock.nanoseconds = EPOCH + second * SECOND
        return bool(self.progress.overdue(STATE, self.time.seconds()))


def watcher() -> Watcher:
    clock = VirtualClock()
    return Watcher(clock, WatchedTime(clock), Progress())


def test_a_deadline_is_over_when_all_of_it_was_watched() -> None:
    looks = watcher()
    assert not any(looks.is_overdue(second) for second in range(60))
    assert looks.is_overdue(60)


def test_time_in_which_nobody_looked_does_not_count() -> None:
    looks = watcher()
    assert not any(looks.is_overdue(second) for second in range(30))
    assert not any(looks.is_overdue(second) for second in range(3630, 3650))
    assert any(looks.is_overdue(second) for second in range(3650, 3660))
