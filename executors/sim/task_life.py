"""The life of one task on a simulated host: its runs, its restart policy, its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from executors.sim.agenda import Agenda
from executors.sim.behaviour import KILLED, Behaviours, Exit, Reaction
from planner.durations import duration
from planner.job import SECOND, Task
from planner.observed import TaskEvent, TaskPhase, TaskState

MILLISECOND = SECOND // 1000
# What building a task's directory takes, and then its start.
SETUP = 50 * MILLISECOND
START = 200 * MILLISECOND
# Restarts wait for their delay and a part of up to a quarter of it: here always half of that.
_JITTER = 8
# No host waits longer for a task to end.
_LONGEST_KILL = 30 * SECOND
_SIGNAL = "SIGINT"
_SHORT_NAMES = {"INT": "SIGINT", "TERM": "SIGTERM", "HUP": "SIGHUP", "KILL": "SIGKILL"}


@dataclass(slots=True, kw_only=True)
class TaskLife:
    """One task. `changed` is called whenever it has begun to run or is dead."""

    task: Task
    # whether an exit with 0 is the end, and no reason to start it again
    finishes: bool
    behaviours: Behaviours
    agenda: Agenda
    changed: Callable[[], None]
    phase: TaskPhase = TaskPhase.PENDING
    failed: bool = False
    begun: bool = False
    killing: bool = False
    runs: int = 0
    restarts: int = 0
    started_at: int = 0
    finished_at: int = 0
    last_restart: int = 0
    end: Exit | None = None
    events: list[TaskEvent] = field(default_factory=list[TaskEvent])
    # What was planned for an earlier turn of its life does not happen any more.
    _turn: int = 0
    _window: int = 0
    _failures: int = 0
    _restarting: bool = False
    _blamed: bool = False
    # when its run ends by itself, if it does
    _run_end: int | None = None

    @property
    def passes(self) -> bool:
        """Whether it runs, and its checks pass."""
        runs = self.phase is TaskPhase.RUNNING
        return runs and self.behaviours(self.task, self.runs - 1).passes

    @property
    def is_dead(self) -> bool:
        """Whether it will never run again."""
        return self.phase is TaskPhase.DEAD

    def state(self) -> TaskState:
        """What a probe sees of it."""
        return TaskState(
            state=self.phase,
            failed=self.failed,
            restarts=self.restarts,
            started_at=self.started_at,
            finished_at=self.finished_at,
            last_restart=self.last_restart,
            exit_code=self.end.code if self.end else None,
            signal=self.end.signal if self.end else 0,
            events=tuple(self.events),
        )

    def receive(self) -> None:
        """It is there, and waits for its turn."""
        self._window = self.agenda.now
        self._say("Received", "Task received by client")

    def begin(self) -> None:
        """Build its directory and start it."""
        self.begun = True
        self._say("Task Setup", "Building Task Directory")
        self._later(SETUP + START, self._start)

    def kill(self, *reasons: str, why: str = "") -> None:
        """End it for good; `reasons` are types of events that are told first."""
        if self.is_dead:
            return
        for reason in reasons:
            self._say(reason)
        limit = min(self.task.kill_timeout, _LONGEST_KILL)
        interrupt = f"Sent interrupt. Waiting {duration(limit)} before force killing"
        self._say("Killing", why or interrupt, kill_timeout=duration(limit))
        if self.killing:
            return
        self.killing = True
        if self.phase is TaskPhase.RUNNING:
            self._shut_down(limit)
        else:
            if self.begun:
                self._say("Killed", "Task successfully killed")
            self._die()

    def restart(self, blame: str = "") -> None:
        """End its run as somebody asked, and start it again at once; a failure where it has one."""
        if self.phase is TaskPhase.RUNNING and not self.killing:
            self._restarting, self._blamed = not blame, bool(blame)
            self._say("Restart Signaled", blame or "User requested running tasks to restart")
            self._send(self._kill_signal, min(self.task.kill_timeout, _LONGEST_KILL))

    def signal(self, name: str) -> None:
        """Send its process a signal, as somebody asked."""
        if self.phase is TaskPhase.RUNNING:
            self._say("Signaling", f"Task being sent signal {name}")
            self._send(name, None)

    # ── a run ────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        behaviour = self.behaviours(self.task, self.runs)
        self.runs += 1
        self.phase = TaskPhase.RUNNING
        self.started_at = self.agenda.now
        self._say("Started", "Task started by client")
        self._run_end = None
        if behaviour.lasts is not None:
            self._run_end = self.agenda.now + behaviour.lasts
            self._later(behaviour.lasts, lambda: self._ended(behaviour.exit))
        self.changed()

    def _shut_down(self, limit: int) -> None:
        delay = self.task.shutdown_delay
        if delay:
            text = f"Waiting for shutdown_delay of {duration(delay)} before killing the task."
            self._say("Waiting for shutdown delay", text)
            # The run may end by itself meanwhile.
            self.agenda.later(
                delay, self._unless_dead(lambda: self._send(self._kill_signal, limit))
            )
        else:
            self._send(self._kill_signal, limit)

    def _send(self, name: str, limit: int | None) -> None:
        """Send a signal; with a limit (ns), the process is killed hard when that is over."""
        reaction = self._reaction(name)
        if reaction is None or (limit is not None and reaction.after > limit):
            if limit is None:
                return
            reaction = Reaction(exit=KILLED, after=limit)
        end, after = reaction.exit, reaction.after
        if self._run_end is None or self.agenda.now + after < self._run_end:
            self._later(after, lambda: self._ended(end))

    def _reaction(self, name: str) -> Reaction | None:
        behaviour = self.behaviours(self.task, self.runs - 1)
        reaction = behaviour.reaction(name)
        if reaction is None or not reaction.waits:
            return reaction
        busy = behaviour.busy_for(self.agenda.now - self.started_at)
        return Reaction(exit=reaction.exit, after=busy + reaction.after)

    @property
    def _kill_signal(self) -> str:
        name = self.task.kill_signal
        return _SHORT_NAMES.get(name, name) or _SIGNAL

    def _ended(self, end: Exit) -> None:
        self.end = end
        self.finished_at = self.agenda.now
        self._say("Terminated", end.message, **end.details)
        if self.killing:
            self._say("Killed", "Task successfully killed")
            self._die()
        elif self._restarting:
            self._restarting = False
            self._again(0, "Task restarting in 0s")
        elif end.code == 0 and self.finishes and not self._blamed:
            self._die()
        else:
            self._blamed = False
            self._by_policy()

    # ── the restart policy ───────────────────────────────────────────────────────────────────

    def _by_policy(self) -> None:
        policy, now = self.task.restart_policy, self.agenda.now
        if not policy.attempts:
            self._give_up("Policy allows no restarts")
            return
        if now > self._window + policy.interval:
            self._window, self._failures = now, 0
        self._failures += 1
        if self._failures <= policy.attempts:
            wait = policy.delay + policy.delay // _JITTER
            self._again(wait, f"Task restarting in {duration(wait)}")
        elif policy.mode == "delay":
            wait = self._window + policy.interval - now
            text = (
                f"Exceeded allowed attempts, applying a delay - Task restarting in {duration(wait)}"
            )
            self._again(wait, text)
        else:
            self._give_up(
                f"Exceeded allowed attempts {policy.attempts} in interval "
                f'{duration(policy.interval)} and mode is "fail"'
            )

    def _again(self, wait: int, text: str) -> None:
        self.phase = TaskPhase.PENDING
        self.restarts += 1
        self.last_restart = self.agenda.now
        self._say("Restarting", text)
        self._later(wait + START, self._start)
        self.changed()

    def _give_up(self, why: str) -> None:
        self.failed = True
        self._say("Not Restarting", why)
        self._die()

    def _die(self) -> None:
        self._turn += 1
        self.phase = TaskPhase.DEAD
        self.finished_at = self.finished_at or self.agenda.now
        self.changed()

    # ── small things ─────────────────────────────────────────────────────────────────────────

    def _later(self, wait: int, act: Callable[[], None]) -> None:
        """Do it then, in the place of whatever else was to come of this turn."""
        self._turn += 1
        turn = self._turn

        def unless_overtaken() -> None:
            if self._turn == turn:
                act()

        self.agenda.later(wait, unless_overtaken)

    def _unless_dead(self, act: Callable[[], None]) -> Callable[[], None]:
        return lambda: None if self.is_dead else act()

    def _say(self, kind: str, message: str = "", **details: str) -> None:
        self.events.append(
            TaskEvent(time=self.agenda.now, type=kind, message=message, details=details)
        )
