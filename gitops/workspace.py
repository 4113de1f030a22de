"""What one command works on: the configuration, the inventory and the job specs as they were read.

Reads files of the repository; never a host, never the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops import config as configuration
from gitops.config import Config
from inventory.load import load as load_inventory
from inventory.model import Inventory
from inventory.pattern import select
from planner.errors import OrchError, reason

# An inventory of 3,000 hosts is about half a megabyte.
_INVENTORY_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder of `orch.toml` and what it says. `cwd` is where the user stands."""

    root: Path
    config: Config
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def cache(self) -> Path:
        """Where this user's caches are; all of it may vanish at any time."""
        base = self.environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(base) / "orch"

    @property
    def inventory_path(self) -> Path:
        """The inventory in force: ``ORCH_INVENTORY``, else `orch.toml`'s."""
        if named := self.environment.get("ORCH_INVENTORY"):
            return self.cwd / named
        return self.root / self.config.inventory

    def inventory(self, limit: str = "") -> Inventory:
        """Read the inventory; with a host pattern, only the hosts it selects.

        Raises `OrchError` where the file is missing, and `InventoryError` with all its problems.
        """
        whole = load_inventory(self.inventory_text(), path=shown(self.inventory_path, self.cwd))
        if not limit:
            return whole
        chosen = {h.name: h for h in select(whole, limit)}
        if not chosen:
            raise OrchError(f"-limit {limit}: no host matches", "See 'orch node status'.")
        return Inventory(path=whole.path, hosts=chosen, groups=whole.groups)

    def inventory_text(self) -> str:
        """Return the inventory as it is written. Raises `OrchError` where it can't be read."""
        return _text(self.inventory_path, self.cwd)


def open_workspace(cwd: Path, environment: Mapping[str, str] | None = None) -> Workspace:
    """Find and read `orch.toml` from `cwd` upwards. Raises `ConfigError`."""
    environment = os.environ if environment is None else environment
    path = configuration.find(cwd, environment)
    return Workspace(
        root=path.parent, config=configuration.load(path), cwd=cwd, environment=environment
    )


def shown(path: Path, cwd: Path) -> str:
    """Name a path as the user would: relative where it is below the working directory."""
    try:
        return str(path.resolve().relative_to(cwd.resolve()))
    except ValueError:
        return str(path)


def _text(path: Path, cwd: Path) -> str:
    name = shown(path, cwd)
    try:
        with path.open("rb") as f:
            data = f.read(_INVENTORY_LIMIT + 1)
        if len(data) > _INVENTORY_LIMIT:
            raise OrchError(f"{name}: larger than 4 MiB", "Split the inventory.")
        return data.decode()
    except FileNotFoundError as e:
        raise OrchError(
            f"{name}: no such inventory",
            "Write one ('orch init' makes a first), or set ORCH_INVENTORY. "
            "'orch dev' starts an embedded host with an inventory of its own.",
        ) from e
    except (OSError, UnicodeDecodeError) as e:
        raise OrchError(
            f"{name}: {reason(e)}", "The inventory must be a readable UTF-8 file."
        ) from e
