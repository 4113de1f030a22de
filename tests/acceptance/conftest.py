"""The shop for acceptance tests, on newly installed hosts of the lab."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.acceptance.harness import Shop
from tests.lab.fleet import Lab


@pytest.fixture
def shop(fresh_lab: Lab, tmp_path: Path) -> Generator[Shop]:
    """A repository without jobs, a ledger without decisions, three hosts without a trace."""
    hosts = [fresh_lab.host(name) for name in ("h1", "h2", "h3")]
    shop = Shop(root=tmp_path, lab=fresh_lab, hosts=hosts).set_up()
    yield shop
    shop.close()
    fresh_lab.heal()


@pytest.fixture(scope="module")
def street(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    """One shop for the tests of a module, each of which has jobs of its own."""
    lab.reinstall()
    hosts = [lab.host(name) for name in ("h1", "h2", "h3")]
    shop = Shop(root=tmp_path_factory.mktemp("street"), lab=lab, hosts=hosts).set_up()
    yield shop
    shop.close()
    lab.heal()
