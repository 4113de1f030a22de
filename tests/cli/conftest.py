"""A host, a clone and a ledger for every test of the command line."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, WEB, Place, copied, ended, environment_beside


@pytest.fixture(scope="session")
def background() -> Generator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture(scope="session")
def dev(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Generator[DevHost]:
    with background.serving(DevHost(tmp_path_factory.mktemp("dev"))) as host:
        yield host


@pytest.fixture(scope="session")
def static_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def template(
    dev: DevHost, static_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Path]:
    """The place that every test gets a copy of: the job `web` has been applied."""
    root = tmp_path_factory.mktemp("template")
    home = root / "home"
    home.mkdir()
    place = Place(root=root, host=dev.data_dir, environment=environment_beside(root, dev.inventory))
    place.clone.mkdir()
    place.git("init", "-qb", "main")
    place.git("config", "user.name", "Test")
    place.git("config", "user.email", "test@example.invalid")
    place.write("inventory.yml", "all:\n  hosts: {}\n")
    place.write("orch.toml", CONFIG)
    place.write("jobs/web.nomad.hcl", WEB.replace("@port@", str(static_port)))
    place.git("add", ".")
    place.git("commit", "-qm", "First")
    said = place.spawn("apply", "-auto-approve")
    assert said.code == 0, said.err
    until_silent(place.host)
    yield root
    stopped = place.spawn("stop", "-yes", "web")
    assert ended(place.host) == 0
    assert stopped.code == 0, stopped.err


def until_silent(host: Path) -> None:
    """Wait until the task's log files are there: from then on it writes nothing."""
    end = time.monotonic() + 60
    while len(list(host.glob("alloc/*/alloc/logs/server.std*.0"))) < 2:
        assert time.monotonic() < end, "there are no log files"
        time.sleep(0.05)


@pytest.fixture
def place(
    template: Path,
    dev: DevHost,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    copied(template, tmp_path)
    (tmp_path / "home").mkdir()
    return Place(
        root=tmp_path,
        host=dev.data_dir,
        environment=environment_beside(tmp_path, dev.inventory),
        capsys=capsys,
        monkeypatch=monkeypatch,
    )
