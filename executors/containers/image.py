"""Images of tasks: on the host already, or pulled there by its dockerd, once per host and task."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from executors.containers import keys
from executors.containers.client import EngineError, MissingError, Session
from executors.containers.keys import Config
from executors.containers.logins import Login, host_login
from executors.printable import printable
from planner.errors import OrchError
from planner.images import plain_reference

_PULL_TIMEOUT = 300.0
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_PROGRESS_LIMIT = 120
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HUB = ("index.docker.io/", "docker.io/", "library/")
_DENIED = ("no basic auth", "unauthorized", "denied", "authentication required", "401")

Progress = Callable[[str], None]


class ImageError(OrchError):
    """An image could not be had; nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """Which image, and how: `login` are the credentials of the task's own config."""

    reference: str
    force: bool = False
    login: Login | None = None
    soft_fail: bool = False
    timeout: float = _PULL_TIMEOUT

    @property
    def is_pinned(self) -> bool:
        """Whether it is named by its digest, and so can't move."""
        return "@sha256:" in self.reference

    @property
    def moves(self) -> bool:
        """Whether the registry is asked even where the host has an image of that name."""
        name = self.reference.rpartition("/")[2]
        is_latest = ":" not in name or name.endswith(":latest")
        return not self.is_pinned and (self.force or is_latest)


@dataclass(slots=True)
class Pins:
    """What one run has found out of images, each once.

    `digests` are those that references were resolved to, whatever the host; `ids` the images that
    hosts have, by host, reference, and whether the registry was asked.
    """

    digests: dict[str, str] = field(default_factory=dict[str, str])
    ids: dict[tuple[str, str, bool], str] = field(default_factory=dict[tuple[str, str, bool], str])
    locks: dict[object, asyncio.Lock] = field(default_factory=dict[object, asyncio.Lock])

    def lock(self, key: object) -> asyncio.Lock:
        """The lock that the first one holds who finds something out."""
        return self.locks.setdefault(key, asyncio.Lock())


def request(config: Config) -> ImageRequest:
    """What a docker task's config asks for; its ``${…}`` are replaced already."""
    auth = keys.table(config, "auth")
    login = {
        "username": keys.text(auth, "username"),
        "password": keys.text(auth, "password"),
        "serveraddress": keys.text(auth, "server_address"),
    }
    return ImageRequest(
        reference=plain_reference(keys.text(config, "image")),
        force=keys.flag(config, "force_pull"),
        login=login if auth else None,
        soft_fail=keys.flag(config, "auth_soft_fail"),
        timeout=_seconds(keys.text(config, "image_pull_timeout")),
    )


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return _PULL_TIMEOUT
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


async def ensured(session: Session, wanted: ImageRequest, pins: Pins, progress: Progress) -> str:
    """Return the id of the image on the host, pulling it where it must be.

    The first host of a run resolves a reference; the others take the image of that digest. Each
    host is asked once. Raises `ImageError`.
    """
    key = _key(session, wanted)
    async with pins.lock(key):
        if key not in pins.ids:
            pins.ids[key] = await _found(session, wanted, pins, progress)
        return pins.ids[key]


def forget(session: Session, wanted: ImageRequest, pins: Pins) -> None:
    """Look for the image on the host anew the next time: it is not there any more."""
    pins.ids.pop(_key(session, wanted), None)


def _key(session: Session, wanted: ImageRequest) -> tuple[str, str, bool]:
    return session.engine.transport.host, wanted.reference, wanted.moves


async def _found(session: Session, wanted: ImageRequest, pins: Pins, progress: Progress) -> str:
    if wanted.is_pinned:
        return await _ensured(session, wanted, progress)
    async with pins.lock(wanted.reference):
        digest = pins.digests.get(wanted.reference)
        if digest is None:
            found = await _ensured(session, wanted, progress)
            pins.digests[wanted.reference] = await repository_digest(
                session, wanted.reference, found
            )
            return found
    if not digest:
        return await _ensured(session, wanted, progress)
    pinned = ImageRequest(
        reference=digest, login=wanted.login, soft_fail=wanted.soft_fail, timeout=wanted.timeout
    )
    return await _ensured(session, pinned, progress)


async def repository_digest(session: Session, reference: str, found: str) -> str:
    """The reference by digest of the image `found` on the host; empty if it came from no registry.

    Raises a `MissingError` where there is no such image.
    """
    image = await session.call(lambda c: cast("dict[str, Any]", c.inspect_image(found)))
    repository = _familiar(_repository(reference))
    known = (str(d).partition("@") for d in image.get("RepoDigests") or ())
    digest = next((d for name, _, d in known if name == repository), "")
    return by_digest(reference, digest)


def by_digest(reference: str, digest: str) -> str:
    """The same image by its digest; empty for what is no digest."""
    return f"{_repository(reference)}@{digest}" if _DIGEST.fullmatch(digest) else ""


def _repository(reference: str) -> str:
    """A reference without its tag."""
    registry, slash, name = reference.rpartition("/")
    return f"{registry}{slash}{name.partition(':')[0]}"


def _familiar(repository: str) -> str:
    """The name by which docker itself shows a repository."""
    for prefix in _HUB:
        repository = repository.removeprefix(prefix)
    return repository


async def _ensured(session: Session, wanted: ImageRequest, progress: Progress) -> str:
    if not wanted.moves and (found := await _local(session, wanted.reference)):
        return found
    progress(f"Downloading image {wanted.reference}")
    await _pull(session, wanted, progress)
    if found := await _local(session, wanted.reference):
        return found
    raise ImageError(f"{session.engine.transport.host}: {wanted.reference} was pulled and is gone")


async def _local(session: Session, reference: str) -> str:
    try:
        image = await session.call(lambda c: cast("dict[str, Any]", c.inspect_image(reference)))
    except MissingError:
        return ""
    return str(image["Id"])


async def _pull(session: Session, wanted: ImageRequest, progress: Progress) -> None:
    login = wanted.login
    if login is None:
        login = await host_login(session.engine.transport, wanted.reference)
    try:
        await _pulled(session, wanted, login or {}, progress)
    except EngineError as e:
        if not (login and wanted.soft_fail and _is_denied(e)):
            raise _failed(session, wanted, e) from e
        try:
            await _pulled(session, wanted, {}, progress)
        except EngineError as again:
            raise _failed(session, wanted, again) from again


async def _pulled(session: Session, wanted: ImageRequest, login: Login, progress: Progress) -> None:
    def pull(client: Any) -> None:  # noqa: ANN401 - the library has no types
        # Without credentials of its own it would look for those of this machine.
        auth = dict(login)
        events = client.pull(wanted.reference, stream=True, decode=True, auth_config=auth)
        for line in _lines(events):
            progress(line)

    # It may take long, and ends alone.
    async with session.engine.opened() as own:
        await own.call(pull, deadline=wanted.timeout)


def _lines(events: Any) -> Iterator[str]:  # noqa: ANN401 - the library has no types
    """Progress in words, without the counting of bytes; an `EngineError` where one is told."""
    for event in events:
        said = cast("dict[str, Any]", event)
        if "error" in said:
            raise EngineError(printable(str(said["error"]), 300))
        if not said.get("progressDetail"):
            name = f"{said['id']}: " if said.get("id") else ""
            yield printable(f"{name}{said.get('status', '')}", _PROGRESS_LIMIT)


def _is_denied(error: EngineError) -> bool:
    return any(word in error.message.lower() for word in _DENIED)


def _failed(session: Session, wanted: ImageRequest, error: EngineError) -> ImageError:
    host = session.engine.transport.host
    detail = error.message.removeprefix(f"{host}: docker: ")
    hint = "Check the image's name and tag, and that the host reaches its registry."
    if _is_denied(error):
        hint = "Log in there with `docker login`, or give the task's config an auth block."
    return ImageError(f"{host}: failed to pull {wanted.reference}: {detail}", hint)
