"""The real fleet: steps become guarded steps on hosts, through one connection each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors import launch, logs, probe
from executors.checks import BoundCheck, made
from executors.containers.client import Engine
from executors.containers.image import Pins
from executors.containers.start import Maker
from executors.fleet import JobFence
from executors.guard import Guard
from executors.handled import Handled
from executors.launch import Decided
from executors.observe import Observer
from executors.observe import node as observed_node
from executors.printable import printable
from executors.probe import Probe
from executors.refusals import GuardError
from executors.starts import Starts
from executors.transport import Bounds, Connector, HostError, HostFault
from inventory.model import Host
from planner.check_status import CheckAnswer, unmade
from planner.errors import OrchError
from planner.job import Check, Job, TaskGroup
from planner.observed import Node, NodeResources, ObservedAlloc
from planner.recorded import AllocRecord
from planner.steps import Start, Step, Stop, Update, group_of

_INSPECT = Bounds(deadline=20.0, output=probe.PROBE_LIMIT)


@dataclass(slots=True, kw_only=True)
class SshFleet:
    """Effects on the hosts of an inventory; `probes` are the answers a plan was made from."""

    connector: Connector
    cluster: str
    hosts: Mapping[str, Host]
    probes: Mapping[str, Probe]
    epoch: int = 1
    commit: str = ""
    # told of what takes long on a host, a line at a time
    tell: Callable[[str], None] = lambda _: None
    # puts the values back that are not in records: what is started needs them
    open_job: Callable[[Job], Job] = lambda job: job
    # the same for a check of the job with that key
    open_check: Callable[[str, Check], Check] = lambda _, check: check
    enrolled: dict[str, str] = field(default_factory=dict[str, str])
    engines: dict[str, Engine] = field(default_factory=dict[str, Engine])
    pins: Pins = field(default_factory=Pins)
    starts: dict[str, Starts] = field(default_factory=dict[str, Starts])

    async def enrol(self, node: Node, node_id: str) -> str:
        """Give the host its id unless it has one; return the id that stands."""
        guard = await self._guard(node, node_id)
        self.enrolled[node.name] = await guard.enrol()
        return self.enrolled[node.name]

    async def fence(self, node: Node, fences: Sequence[JobFence]) -> None:
        """Raise fences; refused where the host has seen a newer decision."""
        guard = await self._guard(node)
        await guard.raise_fences(fences)

    async def start(self, step: Start, node: Node) -> None:
        """Reserve and start the allocation, guarded on the host."""
        guard = await self._guard(node)
        decided = self._decided(step, node)
        opened = self._opened(decided)
        data_dir = self._probe(node.name).data_dir
        request = replace(
            launch.start_request(opened, data_dir),
            record=launch.record(decided),
            limits=self._limits(node),
        )
        privileged = self.hosts[node.name].allow_privileged
        specs = launch.container_specs(opened, data_dir, privileged=privileged)
        starts = self.starts.setdefault(node.name, Starts())
        if not specs:
            await starts.start(guard, request)
            return
        maker = Maker(
            engine=await self._engine(node.name),
            pins=self.pins,
            images=step.images,
            progress=lambda line: self.tell(f"{node.name}: {line}"),
        )
        network = launch.shared_network(opened, specs)
        made = await maker.make(specs, network, node.attributes.get("cpu.arch", ""))
        try:
            await starts.start(guard, launch.with_containers(request, decided, made))
        except GuardError:
            # Refused before anything was written: nothing there is bound to them.
            await maker.drop(made)
            raise

    def pulled(self) -> Mapping[str, str]:
        """Digests that the first pulls of this run have found, by reference."""
        return self.pins.digests

    async def stop(self, step: Stop, node: Node) -> None:
        """Tombstone the allocation, end its tasks, and return when they are dead."""
        guard = await self._guard(node)
        await guard.stop(launch.stop_request(self._decided(step, node)))

    async def update(self, step: Update, node: Node) -> None:
        """Write the new version and policies beside the running tasks."""
        guard = await self._guard(node)
        await guard.update(launch.update_request(self._decided(step, node)))

    async def restart(self, node: Node, fence: JobFence, handled: Handled) -> None:
        """End tasks that run, so that they begin anew; return when they ended."""
        guard = await self._guard(node)
        await guard.restart(fence, handled)

    async def remove(self, node: Node, fence: JobFence, alloc: str) -> None:
        """Forget an ended allocation, its directory and its tombstone."""
        guard = await self._guard(node)
        await guard.remove(fence, alloc)

    async def look(self, host: str) -> tuple[Node, tuple[ObservedAlloc, ...]]:
        """Probe one host anew."""
        observer = Observer(self.connector, self.cluster)
        seen = await observer.probe(self.hosts[host])
        self.probes = {**self.probes, host: seen}
        return observed_node(self.hosts[host], seen), seen.allocs

    async def inspect(self, host: str, allocs: Sequence[str]) -> tuple[ObservedAlloc, ...]:
        """Return those of the allocations that the host has."""
        transport = await self.connector.connect(host)
        argv = probe.inspect(self._probe(host).data_dir, allocs)
        done = await transport.run(argv, bounds=_INSPECT)
        if done.exit_status or done.truncated:
            raise HostError(host, HostFault.COMMAND, f"inspect: {printable(done.stderr)}")
        return tuple(a.alloc for a in probe.parse_allocs(done.stdout, host))

    async def check(self, host: str, bound: BoundCheck) -> CheckAnswer:
        """Make a service check once; return its result."""
        try:
            transport = await self.connector.connect(host)
            opened = replace(bound, check=self.open_check(bound.job, bound.check))
            return await made(opened, transport, self._probe(host).data_dir)
        except OrchError as e:
            return unmade(e.message)

    async def tail(self, alloc: AllocRecord, task: str, lines: int) -> str:
        """Return the last lines of a task's log, stderr after stdout."""
        transport = await self.connector.connect(alloc.node)
        parts: list[str] = []
        for stream in logs.LogStream:
            source = logs.LogSource(
                alloc_id=alloc.id,
                task=task,
                stream=stream,
                data_dir=self._probe(alloc.node).data_dir,
            )
            data = await logs.read(transport, source, logs.Tail(lines=lines))
            parts += data.decode("utf-8", "replace").splitlines()
        return "\n".join(parts[-lines:])

    async def _engine(self, host: str) -> Engine:
        found = self.engines.get(host)
        if found is None:
            transport = await self.connector.connect(host)
            found = self.engines.setdefault(host, Engine(transport))
        return found

    async def _guard(self, node: Node, node_id: str = "") -> Guard:
        transport = await self.connector.connect(node.name)
        return Guard(
            transport=transport,
            cluster=self.cluster,
            node_id=node_id or self.enrolled.get(node.name) or node.id,
            data_dir=self._probe(node.name).data_dir,
            boot=self._probe(node.name).boot_id,
        )

    def _probe(self, host: str) -> Probe:
        found = self.probes.get(host)
        if found is None:
            raise HostError(host, HostFault.UNREACHABLE, "it did not answer the probe")
        return found

    def _decided(self, step: Step, node: Node) -> Decided:
        fence = JobFence(key=step.key, epoch=self.epoch, index=step.index, commit=self.commit)
        return Decided(
            cluster=self.cluster,
            fence=fence,
            job=step.job,
            group=group_of(step) or TaskGroup(name=step.alloc.group),
            alloc=step.alloc,
            index=step.index,
            node=replace(node, id=self.enrolled.get(node.name) or node.id),
        )

    def _opened(self, decided: Decided) -> Decided:
        job = self.open_job(decided.job)
        return replace(decided, job=job, group=job.group(decided.group.name) or decided.group)

    def _limits(self, node: Node) -> NodeResources:
        # The host itself adds up every cluster's reservations; only the inventory's come off here.
        reserved = self.hosts[node.name].reserved
        # Containers that are nobody's have no record there.
        nobodys = sum(c.memory_mb for c in self._probe(node.name).containers)
        return NodeResources(
            cpu=node.resources.cpu - reserved.cpu,
            memory_mb=node.resources.memory_mb - reserved.memory_mb - nobodys,
            disk_mb=node.resources.disk_mb - reserved.disk_mb,
        )
