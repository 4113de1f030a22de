"""The credentials for registries that a host's user has: in a file, or kept by a program."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from executors.transport import Bounds, HostError, Transport

_CONFIG = ("sh", "-c", 'cat "${DOCKER_CONFIG:-$HOME/.docker}/config.json" 2>/dev/null || :')
_BOUNDS = Bounds(deadline=15.0, output=256 * 1024)
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Docker's own registry has another name where credentials are kept.
_HUB, _HUB_KEY = "docker.io", "https://index.docker.io/v1/"
_TOKEN = "<token>"  # noqa: S105 - what a program says in the place of a user's name

Login = Mapping[str, str]


async def host_login(transport: Transport, reference: str) -> Login | None:
    """The credentials that the host has for the image's registry; None where it has none."""
    text = await _printed(transport, _CONFIG)
    registry = _registry(reference)
    program = keeper(text, registry)
    if program:
        said = await _printed(transport, (program, "get"), _key(registry).encode())
        if kept := kept_login(said, registry):
            return kept
    return login_of(text, reference)


async def _printed(transport: Transport, argv: tuple[str, ...], stdin: bytes = b"") -> bytes:
    try:
        done = await transport.run(argv, stdin=stdin, bounds=_BOUNDS)
    except HostError:
        return b""
    return b"" if done.exit_status else done.stdout


def _key(registry: str) -> str:
    return _HUB_KEY if registry == _HUB else registry


def _registry(reference: str) -> str:
    from docker import auth as untyped
    from docker import errors

    auth: Any = untyped
    try:
        return str(auth.resolve_repository_name(reference)[0])
    except errors.DockerException:
        return ""


def keeper(text: bytes, registry: str) -> str:
    """The program that keeps a registry's credentials, by a client's ``config.json``; or empty."""
    try:
        config: Any = json.loads(text or b"{}")
        helpers: Any = config.get("credHelpers") or {}
        name: Any = helpers.get(_key(registry)) or helpers.get(registry) or config.get("credsStore")
    except (ValueError, AttributeError, TypeError):
        return ""
    is_name = isinstance(name, str) and _PROGRAM.fullmatch(name)
    return f"docker-credential-{name}" if is_name else ""


def kept_login(said: bytes, registry: str) -> Login | None:
    """The credentials in what such a program has printed; None where there are none."""
    try:
        found: Any = json.loads(said)
        user, secret = found["Username"], found["Secret"]
    except (ValueError, KeyError, TypeError):
        return None
    if not (isinstance(user, str) and isinstance(secret, str) and secret):
        return None
    if user == _TOKEN:
        return {"identitytoken": secret, "serveraddress": _key(registry)}
    return {"username": user, "password": secret, "serveraddress": _key(registry)}


def login_of(text: bytes, reference: str) -> Login | None:
    """Find a registry's credentials in the text of a Docker client's ``config.json`` itself.

    The library would ask programs of this machine, so it is not shown that there are any.
    """
    from docker import auth as untyped
    from docker import errors

    auth: Any = untyped
    try:
        entries: Any = json.loads(text or b"{}").get("auths")
        known = auth.AuthConfig({"auths": auth.parse_auth(entries or {})})
        registry, _ = auth.resolve_repository_name(reference)
        return cast("Login | None", known.resolve_authconfig(registry))
    except (ValueError, AttributeError, TypeError, errors.DockerException):
        return None
