"""The world of one seed: machines, hosts, a ledger elsewhere, a repository that people edit."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from executors.sim.clock import EPOCH
from executors.sim.distant import Deed
from executors.sim.host import SimulatedHost
from executors.sim.loop import VirtualLoop
from executors.sim.turns import EndedError, TurnLock, Turns
from gitops.applying import Result
from gitops.ledger import layout
from gitops.ledger.memory import Shelf
from gitops.ledger.protocol import Ledger
from gitops.ledger.simulated import SimulatedRemote, simulated_store
from gitops.ledger.surroundings import Surroundings
from gitops.planning import Desired
from gitops.sealing import Sealer, Vault
from planner.errors import OrchError
from planner.job import SECOND, Job
from planner.observed import Node, NodeResources
from planner.source import Source
from tests.simulate.audit import Audit, BrokenPromiseError
from tests.simulate.chance import Chance
from tests.simulate.command import Command, Manner, Place
from tests.simulate.git_place import WatchedGit
from tests.simulate.jobs import SECRET, nature
from tests.simulate.machine import Machine, Process, Weather
from tests.simulate.promises import Promises
from tests.simulate.refusals import check_refusal, check_result
from tests.simulate.variant import Variant

PREFIX = "refs/orch/sim/"
_SEALER = Sealer("a key", "sim", ("env.PASSWORD",))


@dataclass(slots=True, kw_only=True)
class World:
    """Everything there is. `tell` adds a line to the story."""

    chance: Chance
    loop: VirtualLoop
    variant: Variant = field(default_factory=Variant)
    # where a real Git repository keeps the ledger; None: simulated
    git: Path | None = None
    hosts: dict[str, SimulatedHost] = field(default_factory=dict[str, SimulatedHost])
    machines: list[Machine] = field(default_factory=list[Machine])
    weather: Weather = field(default_factory=Weather)
    # how everybody's commands go about it
    manner: Manner = field(default_factory=Manner)
    # whether people declare hosts lost that do not answer them
    loses: bool = False
    # whether the ledger went back: nobody may decide anything then
    is_rewound: bool = False
    # until when a run that was under way may go on, before it hears of that; 0: there was none
    unaware_until: float = 0.0
    turns: Turns = field(default_factory=Turns)
    remote: SimulatedRemote = field(default_factory=SimulatedRemote)
    promises: Promises = field(init=False)
    audit: Audit = field(init=False)
    # what the repository has at this moment, by path, and how often it was committed to
    repository: dict[str, Job] = field(default_factory=dict[str, Job])
    revision: int = 0
    # what the marks in jobs stand for, by job
    values: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    running: set[Process] = field(default_factory=set[Process])
    story: list[str] = field(default_factory=list[str])
    broken: BrokenPromiseError | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        shelf: Shelf = self.remote.shelf
        self.promises = Promises(hosts=self.hosts, clock=self.loop.time)
        self.audit = Audit(shelf=shelf, heard=self.promises.heard)
        self.promises.audit = self.audit
        self.remote.landed = self._landed

    def tell(self, who: str, text: str) -> None:
        self.story.append(f"{self.loop.time():9.3f} {who}: {text}")

    def now(self) -> int:
        return EPOCH + int(self.loop.time() * SECOND)

    def add_host(self, name: str, cpu: int, memory: int) -> SimulatedHost:
        node = Node(
            name=name,
            address=f"10.0.0.{len(self.hosts) + 1}",
            drivers=frozenset({"raw_exec"}),
            attributes={"kernel.name": "linux", "nomad.version": "1.8.0", "unique.host_id": name},
            resources=NodeResources(cpu=cpu, memory_mb=memory, disk_mb=50_000, cores=4),
        )
        self.hosts[name] = SimulatedHost(node=node, now=self.now, nature=nature)
        self.hosts[name].disk = self.variant.disk(host=name)
        return self.hosts[name]

    def add_machine(self, name: str) -> Machine:
        machine = Machine(
            name=name, chance=self.chance, weather=self.weather, turns=self.turns, loop=self.loop
        )
        self.machines.append(machine)
        return machine

    # ── the repository ───────────────────────────────────────────────────────────────────────

    def commit(self, jobs: dict[str, Job], text: str) -> None:
        """Somebody commits other jobs to the repository."""
        sealed = {name: _SEALER.sealed(job, {}) for name, job in jobs.items()}
        self.repository = {name: found.job for name, found in sealed.items()}
        for name, found in sealed.items():
            self.values[name] = {**self.values.get(name, {}), **found.values}
        self.revision += 1
        self.tell("git", f"c{self.revision}: {text}")

    def desired(self, targets: tuple[str, ...] = ()) -> Desired:
        return Desired(
            jobs=tuple((f"jobs/{i}.nomad.hcl", j) for i, j in sorted(self.repository.items())),
            source=Source(repository="repo", commit=f"c{self.revision}"),
            whole=True,
            targets=targets,
        )

    # ── commands ─────────────────────────────────────────────────────────────────────────────

    async def apply(
        self,
        process: Process,
        desired: Desired,
        manner: Manner | None = None,
        then: Callable[[Command], Awaitable[None]] | None = None,
    ) -> int | None:
        """Run one apply to its end; return its exit code, None where its process died.

        `then` is what the same process does after it.
        """
        words = f"orch apply at {desired.source.commit}"
        if manner is not None and manner.lost:
            words += f" -lost {' '.join(manner.lost)}"

        async def act(command: Command) -> Result | None:
            command.manner = manner or self.manner
            result = await command.apply(desired)
            if then is not None:
                await then(command)
            return result

        return await self.run(process, words, act)

    async def run(
        self, process: Process, words: str, act: Callable[[Command], Awaitable[Result | None]]
    ) -> int | None:
        """Run one command to its end; return its exit code, None where its process died."""
        process.task = asyncio.current_task()
        self.running.add(process)
        command = self.variant.command(
            process=process,
            place=self._place(process),
            tell=lambda text: self.tell(process.name, text),
            manner=self.manner,
        )
        self.tell(process.name, words)
        try:
            return self._ended(command, await act(command))
        except OrchError as e:
            error = e
            self._checked(lambda: check_refusal(self.audit, self.promises, command.run, error))
            self.tell(process.name, f"{type(e).__name__}: {e.message}")
            return 1
        except (EndedError, asyncio.CancelledError):
            if not process.dead:
                raise
            self.tell(process.name, "is no more")
            return None
        except BrokenPromiseError as e:
            self.fail(e)
            return None
        except Exception as e:  # whatever it is, it is no refusal
            self.tell(process.name, "".join(traceback.format_exception(e)))
            self.fail(BrokenPromiseError(f"{process.name} fails with {type(e).__name__}: {e}"))
            return None
        finally:
            process.machine.living.discard(process.pid)
            self.running.discard(process)

    def _ended(self, command: Command, result: Result | None) -> int:
        if result is None:
            self.tell(command.process.name, "nothing to do")
            return 0
        self._checked(lambda: check_result(self.promises, command.run, result))
        words = ", ".join(f"{o.key} {o.kind}" for o in result.outcomes)
        self.tell(command.process.name, f"ends with {result.exit_code}: {words}")
        for outcome in result.outcomes:
            if outcome.detail:
                self.tell(command.process.name, f"  {outcome.key}: {outcome.detail!r}")
        return result.exit_code

    def _place(self, process: Process) -> Place:
        place = Place(
            ledger=self.ledger(process),
            fleet=self.variant.fleet(
                hosts=self.hosts, cluster="sim", wires=process, witness=self._witness
            ),
            promises=self.promises,
        )
        place.fleet.missed = place.blind.add
        place.fleet.open_job = Vault(self.values).opened
        return place

    def ledger(self, process: Process) -> Ledger:
        machine, chance = process.machine, process.chance
        around = Surroundings(
            user="ops",
            host="here",
            clock=lambda: machine.wall() / SECOND,
            sleep=process.wait,
            nonce=chance.id if self.variant.nonce else lambda: "",
            jitter=lambda: chance.between(0, 1),
            lock=lambda: TurnLock(self.turns),
        )
        if self.git is not None:
            store = WatchedGit(self.git, PREFIX, self.remote, process)
            return self.variant.ledger(store, self.audit, around, machine.seen)
        copy = self.variant.copy(remote=self.remote, prefix=PREFIX, network=process)
        simulated = simulated_store(copy, around)
        return self.variant.ledger(simulated, self.audit, around, machine.seen)

    # ── what is seen ─────────────────────────────────────────────────────────────────────────

    def check_secrets(self) -> None:
        """What is sensitive is with the tasks, and nowhere else."""
        told = "\n".join(self.story).encode()
        if SECRET.encode() in told or any(
            SECRET.encode() in data for data in self.remote.shelf.objects.values()
        ):
            raise BrokenPromiseError("what is sensitive was told, or is in the ledger")
        for host in self.hosts.values():
            for kept in host.running().values():
                if any(t.env.get("PASSWORD") != SECRET for t in kept.group.tasks):
                    raise BrokenPromiseError(f"{kept.record.name} runs without what it was given")

    def _witness(self, deed: Deed) -> None:
        what = f"{deed.step.alloc.name} {deed.step.alloc.id[:8]}" if deed.step else deed.key
        self.tell(deed.host, f"{deed.kind} {what} under {deed.index} for {deed.run[:8]}")
        self._checked(self._not_rewound)
        self._checked(lambda: self.promises.witness(deed))

    def _not_rewound(self, ref: str = "") -> None:
        if not self.is_rewound:
            return
        # What was done is still written down by whoever did it.
        is_journal = ref not in ("", layout.STATE)
        is_heard = self.loop.time() >= self.unaware_until
        if not self.unaware_until or ref == layout.STATE or (is_heard and not is_journal):
            raise BrokenPromiseError("something is written, though the ledger has gone back")

    def _landed(self, ref: str, old: str, new: str) -> None:
        self.tell("ledger", f"{ref[:13]} {old[:8]}..{new[:8]}")
        self._checked(lambda: self._not_rewound(ref))
        self._checked(lambda: self.audit.landed(ref, old, new))
        self.promises.migrations.recorded(self.audit.recorded)

    def _checked(self, check: Callable[[], None]) -> None:
        try:
            check()
        except BrokenPromiseError as e:
            self.fail(e)
            raise

    def fail(self, error: BrokenPromiseError) -> None:
        """Remember the first promise that was broken; everything ends."""
        if self.broken is None:
            self.broken = error
            self.tell("BROKEN", str(error))
            self.over.set()
