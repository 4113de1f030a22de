"""Two embedded hosts, `a` and `b`, in one inventory, with a clone and a ledger of their own."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, Place, environment_beside, made


@contextmanager
def place_on_two(
    background: Background, root: Path, files: Mapping[str, str]
) -> Generator[tuple[Place, dict[str, DevHost]]]:
    """The place below `root`, with these files, and its hosts by name."""
    with (
        background.serving(DevHost(root / "a")) as a,
        background.serving(DevHost(root / "b")) as b,
    ):
        hosts = {"a": a, "b": b}
        inventory = root / "inventory.yml"
        entries = {name: _entry(host) for name, host in hosts.items()}
        inventory.write_text(json.dumps({"all": {"hosts": entries}}))
        place = Place(root=root, host=root, environment=environment_beside(root, inventory))
        yield made(place, {"orch.toml": CONFIG, **files}), hosts


def _entry(host: DevHost) -> Any:  # noqa: ANN401 - parsed YAML
    return yaml.safe_load(host.inventory.read_text())["all"]["hosts"]["dev"]
