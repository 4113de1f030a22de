"""The life of one allocation's tasks on a simulated host, as a function of virtual time.

Nothing happens by itself: whoever looks says how late it is, and all that was due by then has
happened. The rules are those of the supervisor: order of starts and stops by lifecycle hooks and
leaders, restarts, kill timeouts and delays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from executors.sim.agenda import Agenda
from executors.sim.behaviour import Behaviours, for_ever
from executors.sim.task_life import TaskLife
from planner.job import Task, TaskGroup
from planner.observed import ObservedAlloc

_EPHEMERAL = ("batch", "sysbatch")
_TOO_LONG = "allocation exceeded max_run_duration"
_LEADER_DEAD = "Leader Task Dead"
_MAIN_DEAD = "Main Tasks Dead"
_SIBLING_FAILED = "Sibling Task Failed"


@dataclass(slots=True, kw_only=True)
class Life:
    """One allocation, started at `born` (ns). `seen` is what a probe shows beside its tasks."""

    seen: ObservedAlloc
    group: TaskGroup
    job_type: str
    born: int
    behaviours: Behaviours = for_ever
    dead_at: int | None = field(init=False, default=None)
    tasks: dict[str, TaskLife] = field(init=False, default_factory=dict[str, TaskLife])
    _agenda: Agenda = field(init=False)
    _stopped: bool = field(init=False, default=False)
    _ending: bool = field(init=False, default=False)
    # what is to be killed, one after the other, and why
    _stages: list[list[TaskLife]] = field(init=False)
    _reason: str = field(init=False, default="")
    _twice: bool = field(init=False, default=False)
    # whether something has changed while it was looked at what follows
    _unsettled: bool = field(init=False, default=False)
    _settling: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._agenda = Agenda(self.born)
        self._stages = []
        self.tasks = {t.name: self._task(t) for t in self.group.tasks}
        for life in self.tasks.values():
            life.receive()
        if self.group.max_run_duration:
            self._agenda.later(self.group.max_run_duration, self._exceeded)
        self._settle()

    def at(self, now: int) -> ObservedAlloc:
        """Return what a probe sees at `now` (ns)."""
        self._agenda.until(now)
        states = {name: life.state() for name, life in self.tasks.items()}
        return replace(self.seen, tasks=states)

    def next_change(self, now: int) -> int | None:
        """Return when (ns) something happens after `now`, as far as that is known."""
        self._agenda.until(now)
        return self._agenda.next

    def stop(self, now: int) -> None:
        """Begin to stop it for good; `dead_at` is set when all has ended."""
        self._agenda.until(now)
        self.seen = replace(self.seen, desired="stop")
        if self._stopped:
            return
        self._stopped = True
        delay = self.group.shutdown_delay or 0
        if delay and self.dead_at is None:
            self._agenda.later(delay, self._kill_all)
        else:
            self._kill_all()

    def update(self, now: int, seen: ObservedAlloc, group: TaskGroup) -> None:
        """Go on under a newer version of the job; its policies count from now on."""
        self._agenda.until(now)
        self.seen, self.group = seen, group
        for task in group.tasks:
            if task.name in self.tasks:
                self.tasks[task.name].task = task

    def restart(self, now: int, names: Iterable[str] = (), blame: str = "") -> None:
        """Restart the tasks that run, or those of them that are named; `blame` makes it count."""
        self._agenda.until(now)
        for life in self._named(names):
            life.restart(blame)

    def signal(self, now: int, signal: str, names: Iterable[str] = ()) -> None:
        """Send a signal to the tasks that run, or to those that are named."""
        self._agenda.until(now)
        for life in self._named(names):
            life.signal(signal)

    @property
    def passes(self) -> bool:
        """Whether all its main tasks run, and their checks pass."""
        return all(life.passes for life in self._of(""))

    def _named(self, names: Iterable[str]) -> list[TaskLife]:
        wanted = set(names) or set(self.tasks)
        return [life for name, life in self.tasks.items() if name in wanted]

    # ── who is who ───────────────────────────────────────────────────────────────────────────

    def _task(self, task: Task) -> TaskLife:
        hook = task.lifecycle
        once = hook is not None and (not hook.sidecar or hook.hook == "poststop")
        return TaskLife(
            task=task,
            finishes=once or self.job_type in _EPHEMERAL,
            behaviours=self.behaviours,
            agenda=self._agenda,
            changed=self._settle,
        )

    def _of(self, hook: str) -> list[TaskLife]:
        return [life for life in self.tasks.values() if _hook(life) == hook]

    @property
    def _leaders(self) -> list[TaskLife]:
        return [life for life in self._of("") if life.task.leader]

    @property
    def _living(self) -> list[TaskLife]:
        """All that runs beside poststop tasks, or may yet."""
        return [t for t in self.tasks.values() if not t.is_dead and _hook(t) != "poststop"]

    # ── what follows from what ───────────────────────────────────────────────────────────────

    def _settle(self) -> None:
        """Whatever has changed: start what may start now, and end what has to end."""
        self._unsettled = True
        if self._settling:
            return
        self._settling = True
        while self._unsettled:
            self._unsettled = False
            self._begin_what_may()
            self._end_what_must()
            self._kill_next_stage()
            self._finish()
        self._settling = False

    def _begin_what_may(self) -> None:
        if self._ending or self._stopped:
            return
        before, mains = self._of("prestart"), self._of("")
        _begin(before)
        if all(map(_lets_go_on, before)):
            _begin(mains)
            if all(t.runs for t in mains):
                _begin(self._of("poststart"))

    def _end_what_must(self) -> None:
        if not self._living or self._ending:
            return
        mains = self._of("")
        if any(t.failed for t in self.tasks.values() if _hook(t) != "poststop"):
            self._end(_SIBLING_FAILED)
        elif any(t.is_dead for t in self._leaders):
            self._end(_LEADER_DEAD)
        elif mains and all(t.is_dead for t in mains):
            self._end(_MAIN_DEAD)

    def _end(self, reason: str) -> None:
        """Kill what is left: what stands beside the others last."""
        self._ending = True
        self._reason = reason
        # Whoever was stopping it comes to these as well, and says so.
        self._twice = self._stopped and reason != _SIBLING_FAILED
        first = [t for t in self._living if not _is_sidecar(t)]
        last = [t for t in self._living if _is_sidecar(t)]
        self._stages = [stage for stage in (first, last) if stage]

    def _kill_next_stage(self) -> None:
        """Kill what comes next, once all that is being killed is dead."""
        if not self._stages or any(t.killing and not t.is_dead for t in self.tasks.values()):
            return
        for life in self._stages.pop(0):
            life.kill(self._reason)
            if self._twice:
                life.kill()
        self._unsettled = True

    def _finish(self) -> None:
        """Once nothing else lives, poststop tasks run."""
        if self._living:
            return
        self._ending = True
        _begin(self._of("poststop"))
        if self.dead_at is None and all(t.is_dead for t in self.tasks.values()):
            self.dead_at = self._agenda.now

    def _kill_all(self) -> None:
        """Stop: leaders first, then all others, and sidecars when these are dead."""
        if self._ending:
            return
        others = [t for t in self._living if not _is_sidecar(t)]
        for life in [t for t in others if t.task.leader] or others or self._living:
            life.kill()
        self._settle()

    def _exceeded(self) -> None:
        if self._stopped or self._ending:
            return
        self._ending = True
        for life in self._living:
            life.kill(why=_TOO_LONG)


def _hook(life: TaskLife) -> str:
    return life.task.lifecycle.hook if life.task.lifecycle else ""


def _is_sidecar(life: TaskLife) -> bool:
    return life.task.lifecycle is not None and life.task.lifecycle.sidecar


def _begin(lives: Iterable[TaskLife]) -> None:
    for life in lives:
        if not life.begun and not life.is_dead:
            life.begin()


def _lets_go_on(life: TaskLife) -> bool:
    """Whether main tasks need not wait for this prestart task any more."""
    hook = life.task.lifecycle
    if hook is not None and hook.sidecar:
        return life.runs > 0
    return life.is_dead and not life.failed
