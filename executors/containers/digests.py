"""Which digest a reference stands for now: dockerd asks the registry. Pulls and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from executors.containers import image
from executors.containers.client import Engine, EngineError, MissingError, Session
from executors.containers.image import ImageRequest
from executors.containers.keys import Config
from executors.containers.logins import Login, host_login
from executors.transport import HostError, HostFault
from planner.errors import OrchError

# Seconds for a registry to say one digest.
_ANSWER = 8.0


async def digests(engine: Engine, wanted: Mapping[str, Config]) -> dict[str, str]:
    """Return references by digest, by the references as written; `wanted` has their tasks' configs.

    Empty where neither the registry nor the host's own image tells one. Raises a `HostError` where
    the host or its dockerd doesn't answer.
    """
    found = await asyncio.gather(*(_digest(engine, config) for config in wanted.values()))
    return dict(zip(wanted, found, strict=True))


async def _digest(engine: Engine, config: Config) -> str:
    try:
        wanted = image.request(config)
        return await _told(engine, wanted) or await _held(engine, wanted)
    except HostError:
        raise
    except OrchError:
        return ""


async def _told(engine: Engine, wanted: ImageRequest) -> str:
    """What the registry says; empty where it can't be reached, or refuses."""
    login = wanted.login
    if login is not None and any("${" in value for value in login.values()):
        # Only where the task runs is it known what that is.
        return ""
    if login is None:
        login = await host_login(engine.transport, wanted.reference)
    logins = [login or {}, *([{}] if login and wanted.soft_fail else [])]
    try:
        async with engine.opened() as session:
            return await _first(session, wanted.reference, logins)
    except HostError as e:
        if e.fault is HostFault.TIMEOUT:
            return ""
        raise


async def _first(session: Session, reference: str, logins: Sequence[Login]) -> str:
    """The answer to the first credentials that there is one to."""
    for login in logins:
        try:
            told = await session.call(partial(_inspected, reference, login), deadline=_ANSWER)
        except EngineError:
            continue
        return image.by_digest(reference, told)
    return ""


def _inspected(reference: str, login: Login, client: Any) -> str:  # noqa: ANN401 - no types
    # Without credentials of its own it would look for those of this machine.
    told = client.inspect_distribution(reference, auth_config=dict(login))
    descriptor: dict[str, Any] = cast("dict[str, Any]", told).get("Descriptor") or {}
    return str(descriptor.get("digest", ""))


async def _held(engine: Engine, wanted: ImageRequest) -> str:
    async with engine.opened() as session:
        try:
            return await image.repository_digest(session, wanted.reference, wanted.reference)
        except MissingError:
            return ""
