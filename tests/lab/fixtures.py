"""pytest's way to the lab: real hosts for tests marked `lab`, or a line that says why not."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import NoReturn

import pytest

from tests.lab.fleet import Lab
from tests.lab.host import LabHost
from tests.lab.programs import LabUnavailableError

HOSTS = 3


@pytest.fixture(scope="session")
def lab() -> Generator[Lab]:
    """Hosts h1, h2 and h3 with sshd, the same for the whole session."""
    try:
        made = Lab()
    except LabUnavailableError as error:
        refuse(str(error))
    with made:
        yield made.up(HOSTS)


@pytest.fixture
def fresh_lab(lab: Lab) -> Generator[Lab]:
    """The lab with empty disks, newly booted, for this test alone: 0.3 s before and after it."""
    lab.reinstall()
    yield lab
    lab.reinstall()


@pytest.fixture(scope="session")
def systemd_host(lab: Lab) -> LabHost:
    """Host s1 of the lab, with systemd as its first process."""
    try:
        return lab.add("s1", init="systemd")
    except LabUnavailableError as error:
        refuse(str(error))


def refuse(reason: str) -> NoReturn:
    """Skip the test; in CI as root, where a lab is promised, fail it."""
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
