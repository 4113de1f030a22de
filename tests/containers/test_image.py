"""When an image is pulled, and with whose credentials."""

from __future__ import annotations

import base64
import json

import pytest

from executors.containers.image import by_digest, request
from executors.containers.logins import host_login, login_of
from executors.fake import FakeHost, FakeTransport, Reply
from executors.transport import Completed, HostFault

SECRET = base64.b64encode(b"shop:s3cret").decode()
LOGINS = json.dumps({"auths": {"reg.example:5000": {"auth": SECRET}}, "credsStore": "secret"})
DIGEST = "redis@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("config", "moves"),
    [
        ({"image": "redis"}, True),
        ({"image": "redis:latest"}, True),
        ({"image": "redis:3.2"}, False),
        ({"image": "reg.example:5000/redis"}, True),
        ({"image": "reg.example:5000/redis:7"}, False),
        ({"image": "redis:3.2", "force_pull": True}, True),
        ({"image": DIGEST}, False),
        ({"image": DIGEST, "force_pull": True}, False),
    ],
)
def test_only_what_may_have_moved_is_pulled_again(config: dict[str, object], moves: bool) -> None:
    assert request(config).moves == moves


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 300), ("5m", 300), ("90s", 90), ("1h1m1s", 3661), ("soon", 300)]
)
def test_a_pull_has_its_time(text: str, seconds: float) -> None:
    assert request({"image": "x", "image_pull_timeout": text}).timeout == seconds


def test_credentials_of_the_task_go_first() -> None:
    auth = {"username": "u", "password": "p", "server_address": "reg.example"}
    login = request({"image": "x", "auth": [auth]}).login
    assert login == {"username": "u", "password": "p", "serveraddress": "reg.example"}
    assert request({"image": "x"}).login is None


@pytest.mark.parametrize(
    ("text", "reference", "user"),
    [
        (LOGINS, "reg.example:5000/redis:7", "shop"),
        (LOGINS, "redis:7", None),
        ("", "reg.example:5000/redis:7", None),
        ("{", "reg.example:5000/redis:7", None),
        ('{"auths": 7}', "reg.example:5000/redis:7", None),
    ],
)
def test_credentials_of_the_host_are_those_of_the_registry(
    text: str, reference: str, user: str | None
) -> None:
    login = login_of(text.encode(), reference)
    assert (login or {}).get("username") == user


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("redis", "redis"),
        ("redis:7", "redis"),
        ("reg.example:5000/a/redis", "reg.example:5000/a/redis"),
        ("reg.example:5000/a/redis:7", "reg.example:5000/a/redis"),
    ],
)
def test_a_digest_takes_the_place_of_the_tag(reference: str, repository: str) -> None:
    digest = "sha256:" + "0" * 64
    assert by_digest(reference, digest) == f"{repository}@{digest}"
    assert by_digest(reference, "sha256:short") == ""


HUB = "https://index.docker.io/v1/"
KEPT = json.dumps({"Username": "kept", "Secret": "x"})
TOKEN = json.dumps({"Username": "<token>", "Secret": "x"})
SAFE = {"credsStore": "safe"}
HUBS = {**SAFE, "credHelpers": {HUB: "hub"}}
ONE = {"credHelpers": {"reg.example": "one"}}


@pytest.mark.parametrize(
    ("config", "reference", "asked", "said", "login"),
    [
        (SAFE, "reg.example/a:1", ("safe", "reg.example"), KEPT, "kept"),
        (SAFE, "redis:7", ("safe", HUB), KEPT, "kept"),
        (HUBS, "redis", ("hub", HUB), KEPT, "kept"),
        (ONE, "reg.example/a", ("one", "reg.example"), KEPT, "kept"),
        (SAFE, "reg.example/a", ("safe", "reg.example"), TOKEN, "token"),
        (SAFE, "reg.example:5000/a", ("safe", "reg.example:5000"), "no such", "shop"),
        (SAFE, "reg.example:5000/a", ("safe", "reg.example:5000"), "[]", "shop"),
        ({"credsStore": "safe; reboot"}, "reg.example:5000/a", None, KEPT, "shop"),
        ({"credsStore": 7}, "reg.example/a", None, KEPT, None),
        ({"credHelpers": 7}, "reg.example/a", None, KEPT, None),
    ],
)
async def test_the_hosts_own_programs_are_asked_for_credentials(
    config: dict[str, object],
    reference: str,
    asked: tuple[str, str] | None,
    said: str,
    login: str | None,
) -> None:
    text = json.dumps({"auths": json.loads(LOGINS)["auths"], **config})

    def answer(argv: tuple[str, ...], stdin: bytes) -> Reply:
        if argv[0] == "sh":
            return Reply(completed=Completed(exit_status=0, stdout=text.encode()))
        assert asked is not None
        assert (argv, stdin.decode()) == ((f"docker-credential-{asked[0]}", "get"), asked[1])
        return Reply(completed=Completed(exit_status=0, stdout=said.encode()))

    got = await host_login(FakeTransport("h", FakeHost(default=answer)), reference) or {}
    assert got.get("username") == (None if login == "token" else login)
    assert got.get("identitytoken") == ("x" if login == "token" else None)


async def test_a_host_that_does_not_answer_has_no_credentials() -> None:
    host = FakeHost(default=Reply(fault=HostFault.LOST))
    assert await host_login(FakeTransport("h", host), "redis:7") is None
