"""A machine that runs commands: its clock, its network, and processes that freeze and die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from executors.boundary import Boundary
from executors.sim.clock import EPOCH
from executors.sim.fate import Fate
from executors.sim.loop import VirtualLoop
from executors.sim.turns import EndedError, Turns
from gitops.ledger.journal import ProcessIdentity
from gitops.ledger.seen import MemorySeen
from planner.job import SECOND
from tests.simulate.audit import BrokenPromiseError
from tests.simulate.chance import Chance

T = TypeVar("T")

_OFTEN = 5_000


@dataclass(slots=True, kw_only=True)
class Weather:
    """How bad the network is for everybody; faults are odds for each message."""

    ledger_faults: float = 0.0
    host_faults: float = 0.0
    ledger_down: bool = False
    # seconds of half a round trip to the ledger, at most
    ledger_delay: float = 0.0
    host_delay: float = 0.02
    # hosts that answer late
    slow: set[str] = field(default_factory=set[str])
    # (machine, host) pairs that can't see each other
    cut: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


@dataclass(slots=True, kw_only=True)
class Machine:
    """What stays from command to command."""

    name: str
    chance: Chance
    weather: Weather
    turns: Turns
    loop: VirtualLoop
    # how far its wall clock is off, in ns
    skew: int = 0
    seen: MemorySeen = field(default_factory=MemorySeen)
    living: set[int] = field(default_factory=set[int])
    # since when each host has not answered it, from look to look
    silent: dict[str, float] = field(default_factory=dict[str, float])
    _pids: int = 0

    def wall(self) -> int:
        return EPOCH + int(self.loop.time() * SECOND) + self.skew

    def noticed(self, silent: set[str]) -> None:
        """A look has shown which hosts do not answer."""
        self.silent = {host: self.silent.get(host, self.loop.time()) for host in sorted(silent)}

    def next_pid(self) -> int:
        self._pids += 1
        return self._pids

    def is_gone(self, process: ProcessIdentity) -> bool:
        """As `process.is_gone`: only of this machine can that be told."""
        return process.boot_id == self.name and process.pid not in self.living


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """One command that runs. It is a clock, wires to hosts, and a network to the ledger."""

    machine: Machine
    pid: int = field(init=False)
    chance: Chance = field(init=False)
    dead: bool = False
    frozen_until: float = 0.0
    # when it stood still, from and to
    freezes: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    stops: bool = False
    # at which boundary, counted from 1, it dies
    dies_at: int = 0
    # at which one it stands still for a while
    freezes_at: Boundary | None = None
    # for how many seconds; 0: some
    freezes_for: float = 0.0
    passed: int = 0
    # steps on hosts, and jobs, at a time; 0: all
    parallelism: int = 0
    task: asyncio.Task[Any] | None = None
    # how often it has asked for the time at this very time
    asked: int = 0
    asked_at: float = 0.0

    def __post_init__(self) -> None:
        self.pid = self.machine.next_pid()
        self.chance = self.machine.chance.stream(f"{self.machine.name}.{self.pid}")
        self.machine.living.add(self.pid)

    @property
    def identity(self) -> ProcessIdentity:
        return ProcessIdentity(pid=self.pid, start_time=self.pid, boot_id=self.machine.name)

    @property
    def name(self) -> str:
        return f"{self.machine.name}#{self.pid}"

    def kill(self) -> None:
        """As SIGKILL: nothing more happens in it."""
        self.dead = True
        self.machine.living.discard(self.pid)
        if self.task is not None:
            self.task.cancel()

    def freeze(self, seconds: float) -> None:
        """As SIGSTOP: its connections live, and it does nothing until then."""
        start = max(self.frozen_until, self.machine.loop.time())
        self.frozen_until = max(self.frozen_until, self.machine.loop.time() + seconds)
        self.freezes.append((start, self.frozen_until))

    def frozen_since(self, time: float) -> float:
        """For how many seconds since then it stood still."""
        now = self.machine.loop.time()
        return sum(max(min(end, now) - max(start, time), 0.0) for start, end in self.freezes)

    def at(self, boundary: Boundary) -> None:
        self.passed += 1
        if self.passed == self.dies_at:
            self.kill()
            raise EndedError
        if boundary is self.freezes_at:
            # Beyond its lease, most of the time.
            self.freezes_at = None
            self.freeze(self.freezes_for or self.chance.between(10, 50))

    # ── its clock ────────────────────────────────────────────────────────────────────────────

    def now(self) -> int:
        self._ask()
        return self.machine.wall()

    def monotonic(self) -> float:
        self._ask()
        return self.machine.loop.time()

    def _ask(self) -> None:
        """Whoever asks for the time again and again, and lets none pass, will never end."""
        time = self.machine.loop.time()
        self.asked = self.asked + 1 if time == self.asked_at else 0
        self.asked_at = time
        if self.asked > _OFTEN:
            raise BrokenPromiseError(f"{self.name} goes on and on, and no time passes")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.breathe()

    # ── its breath ───────────────────────────────────────────────────────────────────────────

    async def breathe(self) -> None:
        while not self.dead and self.frozen_until > self.machine.loop.time():  # noqa: ASYNC110
            await asyncio.sleep(self.frozen_until - self.machine.loop.time())
        if self.dead:
            raise EndedError

    async def blocking(self, call: Callable[[], T], /) -> T:
        await self.breathe()
        return await self.machine.turns.run(call, lambda: not self.dead)

    # ── its wires to hosts ───────────────────────────────────────────────────────────────────

    def connects(self, host: str) -> bool:
        return (self.machine.name, host) not in self.machine.weather.cut

    def delay(self, host: str) -> float:
        weather = self.machine.weather
        if host in weather.slow:
            return self.chance.between(1, 8)
        return self.chance.between(0, weather.host_delay)

    # ── its network to the ledger, and to hosts ──────────────────────────────────────────────

    def is_up(self) -> bool:
        return not self.machine.weather.ledger_down

    def travel(self) -> None:
        self.wait(self.chance.between(0, self.machine.weather.ledger_delay))

    def wait(self, seconds: float) -> None:
        self.machine.turns.pause(seconds)
        while self.frozen_until > self.machine.loop.time():
            self.machine.turns.pause(self.frozen_until - self.machine.loop.time())

    def fate(self, host: str = "") -> Fate:
        weather = self.machine.weather
        odds = weather.host_faults if host else weather.ledger_faults
        if not odds or not self.chance.happens(odds):
            return Fate.ARRIVES
        kinds = [Fate.FAILS, Fate.UNANSWERED, Fate.UNANSWERED, Fate.LATE]
        return self.chance.one_of([*kinds, Fate.TWICE] if host else kinds)

    def later(self, act: Callable[[], object]) -> None:
        self.machine.loop.call_later(self.chance.between(1, 90), act)
