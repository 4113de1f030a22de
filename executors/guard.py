"""Guarded steps: short scripts on a host that check, reserve and act under one lock.

Each checks the node's id and the job's fence first. Nothing here plans, waits for health, or holds
the lock over a stop or a round trip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from executors import scripts
from executors.containers.made import is_supervised
from executors.driver import TaskLaunch
from executors.facts import quoted
from executors.fleet import JobFence
from executors.handled import Handled
from executors.printable import printable
from executors.refusals import refusal
from executors.taskfiles import (
    Record,
    TaskPolicy,
    bundle,
    container_text,
    policy_text,
    run_text,
    signal_word,
    task_dir_name,
)
from executors.transport import Bounds, Completed, Transport
from planner.errors import OrchError
from planner.job import SECOND
from planner.observed import NodeResources

# Seconds that a guarded step may take, the wait for the host's lock included.
STEP_DEADLINE = 30.0
# Seconds that a step may take longer for each container that it starts.
PER_CONTAINER = 3.0
# The parts of what supervises tasks with nobody connected.
SUPERVISOR = ("lib", "containers", "turns", "supervise")
_OUTPUT = 64 * 1024
# Steps that a host takes though it has started anew since it was looked at.
_FOR_ANY_BOOT = ("enrol", "fence", "gc")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStart:
    """One task as it is to be started."""

    name: str
    launch: TaskLaunch
    policy: TaskPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStart:
    """One task that is a container, made and not started; `bound` is what it was made with."""

    name: str
    bound: Mapping[str, str]
    policy: TaskPolicy

    @property
    def supervised(self) -> bool:
        """Whether a supervisor on the host sees to it, and not dockerd."""
        return is_supervised(self.bound)

    def files(self, folder: str) -> dict[str, str]:
        """What the host keeps of it, by path."""
        return {
            f"{folder}/policy": policy_text(self.policy),
            f"{folder}/container": container_text(self.bound),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """An allocation to start. `limits` is what the node has for reservations in all.

    `network` is the container that holds the network of the others.
    """

    fence: JobFence
    record: Record
    limits: NodeResources
    tasks: tuple[TaskStart, ...]
    containers: tuple[ContainerStart, ...] = ()
    network: ContainerStart | None = None

    def words(self) -> list[str]:
        """The script's arguments for this allocation."""
        record, limits = self.record, self.limits
        asked = (record.cpu, record.memory_mb, record.disk_mb)
        numbers = (*asked, limits.cpu, limits.memory_mb, limits.disk_mb)
        ports = sorted({str(n) for n in record.ports.values()})
        return [
            *_fence(self.fence),
            record.alloc_id,
            record.token,
            *map(str, numbers),
            str(len(ports)),
            *ports,
        ]

    def files(self) -> dict[str, str]:
        """What the host keeps of it, by path."""
        files: dict[str, str] = {}
        for task in self.tasks:
            folder = f"tasks/{task_dir_name(task.name)}"
            files[f"{folder}/policy"] = policy_text(task.policy)
            files[f"{folder}/run"] = run_text(task.launch)
            files[f"{folder}/user"] = f"{task.launch.user}\n" if task.launch.user else ""
        for each in self.containers:
            files |= each.files(f"tasks/{task_dir_name(each.name)}")
        if self.network is not None:
            files |= self.network.files("network")
        if self.tasks or any(c.supervised for c in self.containers):
            files["supervise.sh"] = scripts.script(*SUPERVISOR)
        files["record"] = self.record.text()
        return files


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """An allocation to stop. `patience` is the longest time, in ns, that its tasks may take.

    `record` is written as a tombstone where the host has never heard of the allocation.
    """

    fence: JobFence
    record: Record
    patience: int = 5 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """New bookkeeping and policies, by task, of an allocation that goes on running."""

    fence: JobFence
    record: Record
    policies: dict[str, TaskPolicy] = field(default_factory=dict[str, TaskPolicy])


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Guarded steps on one host, as one cluster sees it. Refusals are `GuardError`s.

    `boot` is the boot id at the last look, where the host is to be refused after another start.
    Fences may be raised all the same: that is what it then takes first.
    """

    transport: Transport
    cluster: str
    node_id: str
    data_dir: str | None = None
    boot: str = ""

    async def enrol(self) -> str:
        """Write the node id unless the host has one; return the one that stands."""
        return await self._step("enrol")

    async def raise_fences(self, fences: Sequence[JobFence]) -> None:
        """Raise fences; `FencedError` where the host has seen a newer decision."""
        words = [w for f in fences for w in _fence(f)]
        await self._step("fence", words, about=fences[0].key if fences else "")

    async def start(self, request: StartRequest) -> None:
        """Reserve, write and launch; done already with the same token is fine."""
        (error,) = await self.start_all((request,))
        if error is not None:
            raise error

    async def start_all(self, requests: Sequence[StartRequest]) -> tuple[OrchError | None, ...]:
        """Start several in one step; return for each, in order, why it was refused, or None.

        Raises where the step as a whole was refused, or its end was not seen.
        """
        words = [w for r in requests for w in r.words()]
        files = {f"{r.record.alloc_id}/{p}": t for r in requests for p, t in r.files().items()}
        containers = sum(len(r.containers) for r in requests)
        done = await self._run(
            "start", words, stdin=bundle(files), deadline=STEP_DEADLINE + containers * PER_CONTAINER
        )
        about = requests[0].record.name if len(requests) == 1 else ""
        _answer(self.transport.host, done, about)
        said = _said_of_each(done)
        return tuple(self._refused(r, said.get(r.record.alloc_id, ())) for r in requests)

    def _refused(self, request: StartRequest, words: Sequence[str]) -> OrchError | None:
        if words[:1] == ("orch-ok",):
            return None
        told = words[1:] if words[:1] == ("orch-error",) else ()
        return refusal(self.transport.host, request.record.name, told, b"")

    async def stop(self, request: StopRequest) -> None:
        """Write the tombstone, end the tasks, return when they are dead; idempotent."""
        await self._fenced(
            "stop",
            request.fence,
            [request.record.alloc_id],
            about=request.record.name,
            stdin=bundle({"./record": request.record.text()}),
            deadline=STEP_DEADLINE + request.patience / SECOND,
        )

    async def update(self, request: UpdateRequest) -> None:
        """Write the new record and policies beside the running tasks."""
        files = {"./record": request.record.text()}
        for name, policy in request.policies.items():
            files[f"tasks/{task_dir_name(name)}/policy"] = policy_text(policy)
        words = [request.record.alloc_id, request.record.token]
        about = request.record.name
        await self._fenced("update", request.fence, words, about=about, stdin=bundle(files))

    async def resume(self, fence: JobFence, alloc_id: str) -> None:
        """Bring back supervisors that were killed, or ended with the host."""
        await self._fenced("resume", fence, [alloc_id], about=alloc_id)

    async def restart(self, fence: JobFence, handled: Handled) -> None:
        """End tasks that run, so that their supervisors start them anew; return when they ended.

        Those that have ended begin anew, if they were named too.
        """
        alloc, *tasks = handled.words()
        which = "all" if handled.ended else "running"
        await self._fenced(
            "restart",
            fence,
            [alloc, which, printable(handled.blame), *tasks],
            about=handled.alloc_id,
            deadline=STEP_DEADLINE + handled.patience / SECOND,
        )

    async def signal(self, fence: JobFence, handled: Handled, signal: str) -> None:
        """Send a signal (``SIGHUP``) to tasks that run."""
        alloc, *tasks = handled.words()
        words = [alloc, signal_word(signal), *tasks]
        await self._fenced("signal", fence, words, about=handled.alloc_id)

    async def remove(self, fence: JobFence, alloc_id: str) -> None:
        """Forget a stopped allocation, its directory and its tombstone."""
        await self._fenced("remove", fence, [alloc_id], about=alloc_id)

    async def collect(self, forgotten: Sequence[JobFence], containers: Sequence[str]) -> None:
        """Drop fences of jobs that nobody knows any more, and containers by their ids.

        Whoever comes back with an old decision about those jobs stays refused. Containers that run,
        or that a record is bound to, stay.
        """
        epoch, index = max(((f.epoch, f.index) for f in forgotten), default=(0, 0))
        keys = [quoted(f.key) for f in forgotten]
        words = [str(epoch), str(index), str(len(keys)), *keys, *containers]
        deadline = STEP_DEADLINE + len(containers) * PER_CONTAINER
        await self._step("gc", words, deadline=deadline)

    async def _fenced(  # noqa: PLR0913 - one place for what every step has
        self,
        name: str,
        fence: JobFence,
        words: Sequence[str],
        *,
        about: str,
        stdin: bytes = b"",
        deadline: float = STEP_DEADLINE,
    ) -> str:
        return await self._step(
            name, [*_fence(fence), *words], about=about, stdin=stdin, deadline=deadline
        )

    async def _step(
        self,
        name: str,
        words: Sequence[str] = (),
        *,
        about: str = "",
        stdin: bytes = b"",
        deadline: float = STEP_DEADLINE,
    ) -> str:
        done = await self._run(name, words, stdin=stdin, deadline=deadline)
        return _answer(self.transport.host, done, about)

    async def _run(
        self, name: str, words: Sequence[str], *, stdin: bytes, deadline: float
    ) -> Completed:
        bound = self.boot and name not in _FOR_ANY_BOOT
        node = f"{self.node_id}:{self.boot}" if bound else self.node_id
        place = (self.data_dir or "", self.cluster, node)
        names = ("lib", "containers", "handle", "guard", name)
        argv = scripts.command(*names, arguments=(*place, *words))
        bounds = Bounds(deadline=deadline, output=_OUTPUT)
        return await self.transport.run(argv, stdin=stdin, bounds=bounds)


def _fence(fence: JobFence) -> tuple[str, str, str, str]:
    return (quoted(fence.key), str(fence.epoch), str(fence.index), fence.commit)


def _answer(host: str, done: Completed, about: str) -> str:
    last = done.stdout.decode("utf-8", "replace").rstrip("\n").rpartition("\n")[2]
    word, *rest = last.split("\t")
    if word == "orch-ok" and done.exit_status == 0:
        return rest[0] if rest else ""
    raise refusal(host, about, rest if word == "orch-error" else [], done.stderr)


def _said_of_each(done: Completed) -> dict[str, tuple[str, ...]]:
    """What a script said of each allocation, by id."""
    lines = (x.split("\t") for x in done.stdout.decode("utf-8", "replace").split("\n"))
    return {x[1]: tuple(x[2:]) for x in lines if x[0] == "orch-start" and len(x) > 1}
