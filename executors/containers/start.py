"""Making an allocation's containers ready: images, then containers that are not started yet.

Whatever is made here without a record that is bound to it is removed again, by this run or a later
one. Starts nothing: that is done on the host, under its lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from executors.containers import image, normal, pause
from executors.containers.client import (
    Engine,
    EngineError,
    MissingError,
    NameTakenError,
    Session,
)
from executors.containers.image import Pins, Progress
from executors.containers.made import Made
from executors.containers.settings import (
    LABEL,
    Creation,
    Origin,
    TaskSpec,
    creation,
    resolved,
)
from planner.errors import OrchError
from planner.lifecycle import is_sequenced


@dataclass(slots=True, kw_only=True)
class Maker:
    """Makes containers on one host; `pins` are shared by all hosts of a run.

    `images` are the digests recorded for the job's version, by reference: they come first.
    """

    engine: Engine
    pins: Pins
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    progress: Progress = field(default=lambda _: None)

    async def make(
        self, specs: Sequence[TaskSpec], network: Creation | None = None, architecture: str = ""
    ) -> tuple[Made, ...]:
        """Return a container for each task, in order; on an error nothing new is left.

        With a `network` its container comes first, named after no task, and the others share it.
        """
        for spec in specs:
            creation(spec)
        async with self.engine.shared() as session:
            made: list[Made] = []
            shared = ""
            try:
                if network is not None:
                    held = await _network(session, network, specs[0].origin, architecture)
                    made.append(held)
                    shared = held.bound["id"]
                for each in specs:
                    spec = replace(each, network=shared)
                    made.append(await self._made(session, spec, creation(spec)))
            except BaseException:
                await _dropped(session, made)
                raise
            return tuple(made)

    async def _made(self, session: Session, spec: TaskSpec, asked: Creation) -> Made:
        pulled: list[str] = []

        def tell(line: str) -> None:
            pulled.append(line)
            self.progress(line)

        written = image.request(resolved(spec))
        recorded = self.images.get(written.reference, written.reference)
        request = replace(written, reference=recorded)
        found = await image.ensured(session, request, self.pins, tell)
        try:
            inspected, is_new = await _created(session, asked, found, spec.origin)
        except MissingError:
            # Removed since the run has seen it.
            image.forget(session, request, self.pins)
            found = await image.ensured(session, request, self.pins, tell)
            inspected, is_new = await _created(session, asked, found, spec.origin)
        bound = normal.of_inspection(inspected)
        supervised = is_sequenced(spec.group)
        bound["supervised"] = str(int(supervised))
        bound["batch"] = str(int(spec.job.type in ("batch", "sysbatch") and not supervised))
        if pulled:
            bound["pulled"] = written.reference
        return Made(task=spec.task.name, bound=bound, is_new=is_new)

    async def drop(self, made: Sequence[Made]) -> None:
        """Remove what was made by this run, since it may not be started."""
        async with self.engine.shared() as session:
            await _dropped(session, made)


async def _network(session: Session, asked: Creation, origin: Origin, architecture: str) -> Made:
    """Make the container that holds a network, and its image where the host hasn't got it."""
    try:
        found = await session.call(lambda c: cast("dict[str, Any]", c.inspect_image(asked.image)))
    except MissingError:
        found = await session.call(lambda c: _imported(c, asked.image, architecture))
    inspected, is_new = await _created(session, asked, str(found["Id"]), origin)
    return Made(task="", bound=normal.of_inspection(inspected), is_new=is_new)


def _imported(client: Any, reference: str, architecture: str) -> dict[str, Any]:  # noqa: ANN401
    repository, _, tag = reference.rpartition(":")
    data = pause.archive(architecture)
    client.import_image_from_data(data, repository=repository, tag=tag)
    return cast("dict[str, Any]", client.inspect_image(reference))


async def _created(
    session: Session, asked: Creation, image_id: str, origin: Origin
) -> tuple[Mapping[str, Any], bool]:
    body = asked.with_image(image_id)
    try:
        return await _fresh(session, asked.name, body), True
    except NameTakenError:
        there = await _inspected(session, asked.name)
    if there is None:
        return await _fresh(session, asked.name, body), True
    labels = cast("Mapping[str, str]", there["Config"].get("Labels") or {})
    ours = {f"{LABEL}cluster": origin.cluster, f"{LABEL}alloc": origin.alloc_id}
    if any(labels.get(k) != v for k, v in ours.items()):
        host = session.engine.transport.host
        text = f"{host}: a container that is not ours has the name {asked.name}"
        raise EngineError(text, "Rename or remove it there.")
    same = labels.get(f"{LABEL}spec") == asked.spec and there["Image"] == image_id
    if same or there["State"]["Status"] != "created":
        return there, False
    await _removed(session, str(there["Id"]))
    return await _fresh(session, asked.name, body), True


async def _fresh(session: Session, name: str, body: Mapping[str, object]) -> Mapping[str, Any]:
    def create(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 - the library has no types
        found = client.create_container_from_config(dict(body), name)
        return cast("Mapping[str, Any]", client.inspect_container(found["Id"]))

    return await session.call(create)


async def _inspected(session: Session, name: str) -> Mapping[str, Any] | None:
    try:
        return await session.call(lambda c: cast("Mapping[str, Any]", c.inspect_container(name)))
    except MissingError:
        return None


async def _dropped(session: Session, made: Sequence[Made]) -> None:
    for each in reversed(made):
        if each.is_new:
            try:
                await _removed(session, each.bound["id"])
            except OrchError:
                # A later run finds it by its labels.
                continue


async def _removed(session: Session, container: str) -> None:
    # Without force: one that was started meanwhile stays.
    await session.call(lambda c: c.remove_container(container, v=True))
