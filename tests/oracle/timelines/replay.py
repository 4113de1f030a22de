"""One recorded scenario, replayed: its commands at their times, orch's loop beside them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from executors.sim.loop import run_virtually
from planner.job import Job
from tests.oracle.specs import loaded
from tests.oracle.timelines.actions import Actions
from tests.oracle.timelines.chronicle import POLL, Chronicle
from tests.oracle.timelines.files import (
    Command,
    ScenarioFile,
    SummaryFile,
    commands,
    read_scenario,
    read_summary,
)
from tests.oracle.timelines.scripts import UnreadableError, behaviour_of
from tests.oracle.timelines.server import Server
from tests.oracle.timelines.tracks import SEEN
from tests.oracle.timelines.world import World, nodes


@dataclass
class Scenario:
    """A folder of `timelines/`. Everything is worked out when it is first asked for."""

    folder: Path
    touched: Callable[[str, str], None] = lambda _, __: None

    def touch(self, rule: str) -> None:
        """Note that a rule changes what is expected."""
        self.touched(rule, self.name)

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def file(self) -> ScenarioFile:
        return read_scenario(self.folder)

    @cached_property
    def summary(self) -> SummaryFile:
        return read_summary(self.folder)

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        return commands(self.file)

    @property
    def end(self) -> float:
        """Until when it is replayed, in seconds: what was just recorded may come a bit later."""
        return self.file.duration_s + SEEN

    @property
    def tells_nodes_apart(self) -> bool:
        """Whether commands are about certain nodes."""
        return any("{node:" in c.text or c.about == "#" for c in self.commands)

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """The specs of its files."""
        return tuple(loaded(self.folder, name).job for name in self.file.files)

    @cached_property
    def out_of_reach(self) -> str:
        """Why it can't be replayed; empty where it can."""
        try:
            for job in self.jobs:
                for task in (t for g in job.task_groups for t in g.tasks):
                    behaviour_of(task)
        except UnreadableError as e:
            return f"a task's command: {e}"
        unknown = [c.text for c in self.commands if not Actions.knows(c)]
        return f"a command: {unknown[0]}" if unknown else ""

    @cached_property
    def chronicle(self) -> Chronicle:
        """What became of it under orch."""
        return run_virtually(_played(self))


async def _played(scenario: Scenario) -> Chronicle:
    pools = {job.node_pool for job in scenario.jobs}
    pool = pools.pop() if len(pools) == 1 else "default"
    world = World(hosts=nodes(scenario.file.cluster.nodes, pool))
    server, chronicle = Server(world), Chronicle(world)
    actions = Actions(scenario.folder, scenario.file, server)
    waiting = deque(c for c in scenario.commands if not c.exit_code)
    under_way: set[asyncio.Task[None]] = set()
    while (now := world.clock.monotonic()) < scenario.end:
        while waiting and waiting[0].at <= now:
            under_way.add(asyncio.create_task(actions.do(waiting.popleft())))
        await asyncio.sleep(min(POLL, max(waiting[0].at - now, 0)) if waiting else POLL)
        chronicle.look()
        server.check()
        _raise_failures(under_way)
    for task in under_way:
        task.cancel()
    await server.close()
    return chronicle


def _raise_failures(tasks: set[asyncio.Task[None]]) -> None:
    for task in [t for t in tasks if t.done()]:
        tasks.discard(task)
        task.result()


def scenarios(directory: Path, touched: Callable[[str, str], None]) -> Iterator[Scenario]:
    """The scenarios of a directory, in name order."""
    for folder in sorted(p for p in directory.iterdir() if (p / "scenario.json").is_file()):
        yield Scenario(folder.resolve(), touched)
