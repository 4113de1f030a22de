"""What a simulated task does when it runs: how long, how it ends, how it takes signals."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from planner.job import Task

# Codes above this say which signal ended a process.
_BY_SIGNAL = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended; `signal` is 0 where none ended it."""

    code: int = 0
    signal: int = 0

    @property
    def message(self) -> str:
        """The words in which the end is told."""
        by = f", Signal: {self.signal}" if self.signal else ""
        return f"Exit Code: {self.code}{by}"

    @property
    def details(self) -> Mapping[str, str]:
        """The same for programs."""
        return {"exit_code": str(self.code), "signal": str(self.signal), "oom_killed": "false"}


def ended_by(number: int) -> Exit:
    """The end of a process that a signal has ended."""
    return Exit(code=_BY_SIGNAL + number, signal=number)


KILLED = ended_by(signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """How a process takes a signal: it ends as `exit`, `after` ns later.

    With `waits` these count from the end of what it is at, as a shell's do.
    """

    exit: Exit
    after: int = 0
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What one run of a task does.

    It ends by itself as `exit` after `lasts` ns (None: never). `reactions` are by the name of a
    signal; None takes no notice of it. A signal that is not named ends it at once. `passes` says
    whether its checks do while it runs. `pauses` are when (ns from its start) the commands end that
    it waits for one after the other, `every` is how often one does after the last of them.
    """

    lasts: int | None = None
    exit: Exit = field(default_factory=Exit)
    reactions: Mapping[str, Reaction | None] = field(default_factory=dict[str, Reaction | None])
    passes: bool = True
    pauses: tuple[int, ...] = ()
    every: int = 0

    def busy_for(self, ran: int) -> int:
        """How long (ns) what it is at goes on, once it ran for `ran` ns."""
        following = [p for p in self.pauses if p > ran]
        if following:
            return following[0] - ran
        last = self.pauses[-1] if self.pauses else 0
        return self.every - (ran - last) % self.every if self.every else 0

    def reaction(self, name: str) -> Reaction | None:
        """How it takes the signal of that name; nobody can take no notice of SIGKILL."""
        if name == "SIGKILL":
            return Reaction(exit=KILLED)
        return self.reactions.get(name, Reaction(exit=ended_by(signal.Signals[name])))


# The behaviour of a task in its n-th run, counted from 0.
Behaviours = Callable[[Task, int], Behaviour]


def for_ever(_: Task, __: int) -> Behaviour:
    """Run until a signal comes."""
    return Behaviour()
