"""What goes wrong, and when: drawn beforehand, so that a seed is a story."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from executors.sim.host import SimulatedHost
from planner.job import SECOND
from tests.simulate.chance import Chance
from tests.simulate.machine import Process
from tests.simulate.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Makes things go wrong in a world."""

    world: World
    chance: Chance

    async def happen(self, horizon: float, count: int) -> None:
        """Let `count` things go wrong within so many seconds."""
        kinds = self.kinds
        times = sorted(self.chance.between(0, horizon) for _ in range(count))
        for time in times:
            await asyncio.sleep(max(time - self.world.loop.time(), 0))
            await asyncio.sleep(0)
            self.chance.one_of(kinds)()

    @property
    def kinds(self) -> tuple[Callable[[], None], ...]:
        """Everything that can go wrong, what is most telling more often."""
        return (
            *(self._kill_process, self._kill_process, self._freeze_process, self._freeze_process),
            *(self._interrupt, self._jump, self._cut, self._cut, self._crash_host),
            *(self._crash_host, self._freeze_host, self._slow_host, self._ledger_down),
            *(self._kill_alloc, self._lose_supervisor, self._take_container),
            *(self._save, self._restore, self._restore, self._wipe, self._take_port, self._fill),
            self._copy,
        )

    # ── processes ────────────────────────────────────────────────────────────────────────────

    def _process(self) -> Process | None:
        living = sorted(self.world.running, key=lambda p: p.name)
        return self.chance.one_of(living) if living else None

    def _kill_process(self) -> None:
        if (process := self._process()) is not None:
            self._say(f"{process.name} is killed")
            process.kill()

    def _freeze_process(self) -> None:
        process, seconds = self._process(), self.chance.between(3, 100)
        if process is not None:
            self._say(f"{process.name} is frozen for {seconds:.1f} s")
            process.freeze(seconds)

    def _interrupt(self) -> None:
        if (process := self._process()) is not None:
            self._say(f"{process.name} is asked to stop")
            process.stops = True

    def _jump(self) -> None:
        machine = self.chance.one_of(self.world.machines)
        seconds = self.chance.between(-3600, 3600)
        self._say(f"the clock of {machine.name} jumps by {seconds:.0f} s")
        machine.skew += int(seconds * SECOND)

    # ── networks ─────────────────────────────────────────────────────────────────────────────

    def _cut(self) -> None:
        weather = self.world.weather
        pair = (self.chance.one_of(self.world.machines).name, self._host().node.name)
        self._say(f"{pair[0]} can't reach {pair[1]}")
        weather.cut.add(pair)
        self._later(lambda: weather.cut.discard(pair))

    def _slow_host(self) -> None:
        weather, name = self.world.weather, self._host().node.name
        self._say(f"{name} is slow")
        weather.slow.add(name)
        self._later(lambda: weather.slow.discard(name))

    def _ledger_down(self) -> None:
        weather = self.world.weather
        self._say("the ledger can't be reached")
        weather.ledger_down = True

        def up() -> None:
            weather.ledger_down = False

        self._later(up)

    # ── hosts ────────────────────────────────────────────────────────────────────────────────

    def _host(self) -> SimulatedHost:
        return self.chance.one_of(list(self.world.hosts.values()))

    def _crash_host(self) -> None:
        host = self._host()
        if host.up:
            self._say(f"{host.node.name} crashes")
            host.power_off()
            self._later(lambda: None if host.up else host.power_on())

    def _freeze_host(self) -> None:
        host, seconds = self._host(), self.chance.between(5, 60)
        self._say(f"{host.node.name} is frozen for {seconds:.1f} s")
        host.frozen_until = host.now() + int(seconds * SECOND)

    def _alloc(self) -> tuple[SimulatedHost, str] | None:
        host = self._host()
        running = sorted(host.running()) if host.up else []
        return (host, self.chance.one_of(running)) if running else None

    def _kill_alloc(self) -> None:
        if (found := self._alloc()) is not None:
            self._say(f"{found[0].node.name}: the task of {found[1][:8]} is killed")
            found[0].kill(found[1])

    def _lose_supervisor(self) -> None:
        if (found := self._alloc()) is not None:
            self._say(f"{found[0].node.name}: {found[1][:8]} and its supervisor are killed")
            found[0].lose_supervisor(found[1])

    def _take_container(self) -> None:
        if (found := self._alloc()) is not None:
            self._say(f"{found[0].node.name}: the container of {found[1][:8]} is replaced by hand")
            found[0].take_container(found[1])

    def _save(self) -> None:
        host = self._host()
        self._say(f"a snapshot of {host.node.name} is taken")
        host.save()

    def _restore(self) -> None:
        saved = [h for h in self.world.hosts.values() if h.snapshot is not None]
        host = self.chance.one_of(saved) if saved else self._host()
        if host.snapshot is None:
            host.save()
            return
        self._say(f"{host.node.name} goes back to its snapshot")
        host.restore()

    def _wipe(self) -> None:
        host = self._host()
        if self.chance.happens(0.5):
            self._say(f"{host.node.name} loses its disk")
            host.wipe()

    def _copy(self) -> None:
        """A host comes up with the disk of another one, of which the ledger knows."""
        known = self.world.audit.recorded.nodes
        enrolled = [h for n, h in self.world.hosts.items() if n in known and h.disk.node_id]
        copied, host = self.chance.one_of(enrolled or [self._host()]), self._host()
        if enrolled and host is not copied and self.chance.happens(0.5):
            self._say(f"{host.node.name} comes up as a copy of {copied.node.name}")
            host.copy_of(copied)

    def _take_port(self) -> None:
        host, port = self._host(), self.chance.one_of((8080, 20_000, 20_001))
        if port not in host.listening():
            self._say(f"{host.node.name}: somebody listens on {port}")
            host.foreign_ports.add(port)
            self._later(lambda: host.foreign_ports.discard(port))

    def _fill(self) -> None:
        host = self._host()
        self._say(f"the disk of {host.node.name} is full")
        host.disk.full = True

        def emptied() -> None:
            host.disk.full = False

        self._later(emptied)

    def _later(self, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(self.chance.between(5, 60), act)

    def _say(self, text: str) -> None:
        self.world.tell("!", text)


def heal(world: World) -> None:
    """Nothing is wrong any more, and all hosts are what they were."""
    weather = world.weather
    weather.cut.clear()
    weather.slow.clear()
    weather.ledger_down = False
    weather.ledger_faults = weather.host_faults = 0.0
    for host in world.hosts.values():
        host.foreign_ports.clear()
        host.frozen_until = 0
        host.disk.full = False
        host.recover()
        if not host.up:
            host.power_on()
        host.disk.full = False
    world.tell("!", "all is well again")
