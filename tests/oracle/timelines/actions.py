"""The commands of a scenario, as orders to orch's loop or as things that happen to hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gitops.jobspec.durations import parse_duration
from gitops.ledger.protocol import Guard
from planner.intervention import failed_by_hand, paused, promoted, resumed
from planner.job import Job
from planner.job_key import job_key
from planner.node_record import DrainStrategy
from planner.recorded import AllocRecord, Deployment, JobChange, JobState, Recorded
from planner.reverting import reverted, version_named
from tests.oracle.specs import loaded
from tests.oracle.timelines.draining import Draining
from tests.oracle.timelines.files import Command, ScenarioFile
from tests.oracle.timelines.server import Order, Server, as_recorded


class UnknownCommandError(Exception):
    """A command that this replay has no meaning for."""


@dataclass(slots=True)
class Actions:
    """Does what a command says, at the moment it is called."""

    folder: Path
    scenario: ScenarioFile
    server: Server

    @staticmethod
    def knows(command: Command) -> bool:
        """Whether the command has a meaning here."""
        return command.about in _COMMANDS

    async def do(self, command: Command) -> None:
        """Carry one command out. Raises `UnknownCommandError` where it can't be."""
        do = _COMMANDS.get(command.about)
        if do is None:
            raise UnknownCommandError(command.text)
        await do(self, command)

    # ── jobs ─────────────────────────────────────────────────────────────────────────────────

    async def run(self, command: Command) -> None:
        """`job run FILE`."""
        job = loaded(self.folder, command.args[0]).job
        self._ask(job.id, Order(spec=lambda _: job))

    async def stop(self, command: Command) -> None:
        """`job stop [-purge] JOB…`."""
        for name in command.args:
            purge = "purge" in command.flags
            self._ask(name, Order(spec=lambda s: replace(as_recorded(s), stop=True), purge=purge))

    async def start(self, command: Command) -> None:
        """`job start JOB…`."""
        for name in command.args:
            self._ask(name, Order(spec=lambda s: replace(as_recorded(s), stop=False)))

    async def scale(self, command: Command) -> None:
        """`job scale JOB [GROUP] COUNT`."""
        name, *group, number = command.args

        def scaled(state: JobState) -> Job:
            job = as_recorded(state)
            groups = tuple(
                replace(g, count=int(number)) if g.name in (group or (g.name,)) else g
                for g in job.task_groups
            )
            return replace(job, task_groups=groups)

        self._ask(name, Order(spec=scaled, trigger="job-scaling"))

    async def revert(self, command: Command) -> None:
        """`job revert JOB VERSION`."""
        name, version = command.args[:2]
        self._ask(name, Order(spec=lambda s: reverted(s, version_named(s, version))))

    async def evaluate(self, command: Command) -> None:
        """`job eval [-force-reschedule] JOB`."""
        name = command.args[0]
        state = self._recorded().job(job_key(name))
        forced = "force-reschedule" in command.flags
        failed = frozenset(a.id for a in state.allocs if not a.next) if forced else frozenset[str]()
        self._ask(name, Order(spec=as_recorded, reschedules=failed))

    async def restart_job(self, command: Command) -> None:
        """`job restart [-reschedule] JOB`: one allocation after the other."""
        name = command.args[0]
        for record in self._live(name):
            if "reschedule" in command.flags:
                self._ask(name, Order(spec=as_recorded, migrates=frozenset({record.id})))
                await self._replaced(record)
            else:
                self.server.world.fleet.lives[record.id].restart(self.server.world.clock.now())
                await asyncio.sleep(1)

    async def _replaced(self, record: AllocRecord) -> None:
        """Wait until another one runs in its place."""
        fleet = self.server.world.fleet
        for _ in range(600):
            await asyncio.sleep(0.5)
            found = [a for a in self._records() if a.previous == record.id]
            if found and found[0].id in fleet.lives:
                return

    # ── allocations ──────────────────────────────────────────────────────────────────────────

    async def stop_alloc(self, command: Command) -> None:
        """`alloc stop ALLOC`."""
        record = self._alloc(command.args[0])
        job = self._job_of(record)
        self._ask(job, Order(spec=as_recorded, migrates=frozenset({record.id})))

    async def restart_alloc(self, command: Command) -> None:
        """`alloc restart ALLOC [TASK]`."""
        record = self._alloc(command.args[0])
        tasks = [*command.args[1:], *command.flags.get("task", "").split()]
        self.server.world.fleet.lives[record.id].restart(self.server.world.clock.now(), tasks)

    async def signal_alloc(self, command: Command) -> None:
        """`alloc signal [-s SIGNAL] ALLOC [TASK]`."""
        record = self._alloc(command.args[0])
        name = command.flags.get("s", "SIGKILL")
        name = name if name.startswith("SIG") else f"SIG{name}"
        tasks = [*command.args[1:], *command.flags.get("task", "").split()]
        self.server.world.fleet.lives[record.id].signal(self.server.world.clock.now(), name, tasks)

    # ── hosts ────────────────────────────────────────────────────────────────────────────────

    async def process(self, command: Command) -> None:
        """What happens to an agent: its host stops answering, or answers again."""
        match command.args:
            case ("SIGSTOP", "client", "agent", host) | ("kill", "-9", "client", "agent", host):
                asyncio.create_task(self._silent(host))  # noqa: RUF006 - it ends with the loop
            case ("SIGCONT" | "start", "client", "agent", host):
                self.server.world.stopped.discard(host)
                self.server.world.fleet.down.discard(host)
            case _:
                raise UnknownCommandError(command.text)

    async def _silent(self, host: str) -> None:
        """A server misses a host only when its heartbeat is overdue."""
        world = self.server.world
        world.stopped.add(host)
        await asyncio.sleep(self.scenario.cluster.min_heartbeat_ttl_s)
        if host in world.stopped:
            world.fleet.down.add(host)

    async def eligibility(self, command: Command) -> None:
        """`node eligibility -enable|-disable NODE`."""
        name = _place(command.args[0])
        ledger = self.server.world.ledger
        snapshot = ledger.read()
        record = replace(snapshot.recorded.nodes[name], eligible="enable" in command.flags)
        ledger.commit(snapshot, [], [record], message="Eligibility", guards=list[Guard]())

    async def drain(self, command: Command) -> None:
        """`node drain -enable|-disable [-deadline D] […] NODE`."""
        name, flags = _place(command.args[0]), command.flags
        if "disable" in flags:
            ledger = self.server.world.ledger
            snapshot = ledger.read()
            eligible = "keep-ineligible" not in flags
            record = replace(snapshot.recorded.nodes[name], drain=None, eligible=eligible)
            ledger.commit(snapshot, [], [record], message="End drain", guards=list[Guard]())
            return
        deadline = parse_duration(flags.get("deadline", "1h"))
        deadline = 0 if "force" in flags else -1 if "no-deadline" in flags else deadline
        strategy = DrainStrategy(deadline=deadline, ignore_system="ignore-system" in flags)
        await Draining(server=self.server, node=name, strategy=strategy).run()

    # ── deployments ──────────────────────────────────────────────────────────────────────────

    async def decide(self, command: Command) -> None:
        """`deployment promote|fail|pause|resume`, and `job promote JOB`."""
        verb = command.about.split()[1]
        decided = _DECISIONS[verb]
        by_job = command.about.startswith("job")
        state = self._deployed(command.args[0] if by_job else "")
        groups = tuple(command.flags.get("group", "").split())

        def intervention(job: JobState, now: int) -> JobChange:
            assert job.deployment is not None
            return decided(job, job.deployment, now, groups)

        self._ask(state.job_id, Order(spec=as_recorded, intervention=intervention))

    def _deployed(self, job: str) -> JobState:
        """The job whose deployment goes on, or was the last to begin."""
        states = [
            s
            for s in self._recorded().jobs.values()
            if s.deployment is not None and job in ("", s.job_id)
        ]
        if not states:
            raise UnknownCommandError("no deployment")
        return max(states, key=_latest)

    # ── what names mean ──────────────────────────────────────────────────────────────────────

    def _ask(self, job: str, order: Order) -> None:
        self.server.ask(job_key(job), order)

    def _recorded(self) -> Recorded:
        return self.server.world.ledger.read().folded()

    def _records(self) -> Iterator[AllocRecord]:
        return (a for s in self._recorded().jobs.values() for a in s.allocs)

    def _live(self, job: str) -> list[AllocRecord]:
        state = self._recorded().job(job_key(job))
        return sorted((a for a in state.allocs if not a.terminal), key=lambda a: a.name)

    def _alloc(self, word: str) -> AllocRecord:
        name = _place(word)
        found = [a for a in self._records() if a.name == name]
        living = [a for a in found if not a.terminal] or found
        if not living:
            raise UnknownCommandError(f"no allocation {name}")
        return max(living, key=lambda a: (a.created, a.id))

    def _job_of(self, record: AllocRecord) -> str:
        return next(s.job_id for s in self._recorded().jobs.values() if s.alloc(record.id))


def _latest(state: JobState) -> tuple[bool, int]:
    deployment = state.deployment
    assert deployment is not None
    return deployment.status.active, deployment.created


def _place(word: str) -> str:
    """``{alloc:NAME}`` → NAME, ``{node:NAME}`` → NAME."""
    return word.strip("{}").partition(":")[2] or word


_DECISIONS: Mapping[str, Callable[[JobState, Deployment, int, tuple[str, ...]], JobChange]] = {
    "promote": promoted,
    "fail": lambda s, d, now, _: failed_by_hand(s, d, now),
    "pause": lambda s, d, now, _: paused(s, d, now),
    "resume": lambda s, d, now, _: resumed(s, d, now),
}
_COMMANDS: Mapping[str, Callable[[Actions, Command], Awaitable[None]]] = {
    "job run": Actions.run,
    "job stop": Actions.stop,
    "job start": Actions.start,
    "job scale": Actions.scale,
    "job eval": Actions.evaluate,
    "job restart": Actions.restart_job,
    "alloc stop": Actions.stop_alloc,
    "alloc restart": Actions.restart_alloc,
    "alloc signal": Actions.signal_alloc,
    "node eligibility": Actions.eligibility,
    "node drain": Actions.drain,
    "deployment promote": Actions.decide,
    "deployment fail": Actions.decide,
    "deployment pause": Actions.decide,
    "deployment resume": Actions.decide,
    "job promote": Actions.decide,
    "job revert": Actions.revert,
    "#": Actions.process,
}
