"""What the requests that wait for a job come to, one after the other, and what is told of it. Pure.

Whoever holds the job records what a request comes to together with the answer to it, so that it
comes to that once. What was asked is untrusted: it is bounded, and carried out or refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.errors import OrchError
from planner.intervention import carried, ended_by_hand, meant
from planner.job import Job
from planner.recorded import JobChange, JobState
from planner.request import MOST_REQUESTS, Answer, Request, Verb, problem
from planner.verdict import Conclusion, advanced
from planner.way_back import way_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What is to be recorded as one decision, and lines that tell of it.

    `end` is that of a deployment somebody wants to have failed; it comes after the changes, and
    brings its own answer.
    """

    changes: tuple[JobChange, ...] = ()
    end: Conclusion | None = None
    told: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Reading:
    """The job as it is after what was read so far."""

    state: JobState
    job: Job
    now: int
    changes: list[JobChange] = field(default_factory=list[JobChange])
    told: list[str] = field(default_factory=list[str])

    def add(self, change: JobChange) -> None:
        self.changes.append(change)
        self.state = self.state.changed(change, self.state.modify_index)

    def refuse(self, request: Request, why: str) -> None:
        answer = Answer(id=request.id, time=self.now, refusal=why)
        self.add(JobChange(key=self.state.key, answers=(answer,)))
        self.told.append(f"A request was refused: {why}")

    def carry_out(self, request: Request) -> None:
        self.add(carried(request, self.state, self.now))
        # A person's word may be what was missing for a promotion.
        if (more := advanced(self.state, self.job, self.now)) is not None:
            self.add(more)

    def end(self, request: Request) -> Conclusion:
        deployment = meant(request, self.state)
        return Conclusion(
            key=self.state.key,
            deployment=ended_by_hand(deployment, self.now),
            way=way_back(self.state, deployment),
            answers=(Answer(id=request.id, time=self.now),),
        )


def answered(state: JobState, job: Job, now: int) -> Answered:
    """Return what the requests of a job come to at `now`, in ns.

    They are read up to the first that ends a deployment: what waits behind that is of another
    state. `job` is the spec that is being rolled out.
    """
    reading = _Reading(state=state, job=job, now=now)
    end: Conclusion | None = None
    for request in _bounded(reading, state.requests):
        try:
            if request.verb is Verb.FAIL:
                end = reading.end(request)
            else:
                reading.carry_out(request)
        except OrchError as e:
            reading.refuse(request, e.message)
            continue
        by = f", as {request.by} asks" if request.by else ""
        reading.told.append(f"Deployment {request.deployment[:8]} is {request.verb.done}{by}")
        if end is not None:
            break
    return Answered(changes=tuple(reading.changes), end=end, told=tuple(reading.told))


def _bounded(reading: _Reading, requests: Sequence[Request]) -> list[Request]:
    """Return the requests that may be read; the others are refused."""
    sound: list[Request] = []
    for request in requests:
        why = problem(request)
        if why:
            reading.refuse(request, f"it is not as a command writes it: {why}")
        elif len(sound) == MOST_REQUESTS:
            reading.refuse(request, f"more than {MOST_REQUESTS} wait for this job")
        else:
            sound.append(request)
    return sound
