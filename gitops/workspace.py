"""What one command works on: the configuration, the inventory and the job specs as they were read.

Reads files of the repository; never a host, never the ledger.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitops import config as configuration
from gitops.caches import cache_folder
from gitops.config import Config
from planner.errors import OrchError

# Commands on job specs never read the inventory, so it is imported when it is.
if TYPE_CHECKING:
    from inventory.model import Inventory
    from inventory.source import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder of `orch.toml` and what it says. `cwd` is where the user stands."""

    root: Path
    config: Config
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    # The inventory is read once: an executable one may answer otherwise the next time.
    _read: list[Sources] = field(default_factory=list["Sources"], compare=False, repr=False)

    @property
    def cache(self) -> Path:
        """Where this user's caches are; all of it may vanish at any time."""
        return cache_folder(self.environment)

    @property
    def inventory_path(self) -> Path:
        """The inventory in force: ``ORCH_INVENTORY``, else `orch.toml`'s."""
        if named := self.environment.get("ORCH_INVENTORY"):
            return self.cwd / named
        return self.root / self.config.inventory

    @property
    def inventory_places(self) -> tuple[Path, ...]:
        """The files and folders that the inventory is made of, whether they are there or not."""
        from inventory.source import Owner

        path = self.inventory_path
        beside = path if path.is_dir() else path.parent
        folders = (base / owner for base in (beside, self.root) for owner in Owner)
        return (path, *dict.fromkeys(folders))

    def sources(self) -> Sources:
        """Read the files of the inventory. Raises `OrchError` where one can't be read or run."""
        if not self._read:
            from gitops.inventory_files import read_sources

            where = self.inventory_path
            self._read.append(read_sources(where, self.root, lambda p: shown(p, self.cwd)))
        return self._read[0]

    def inventory(self, limit: str = "") -> Inventory:
        """Return the inventory; with a host pattern, only the hosts it selects.

        Raises `OrchError` where a file is missing, and `InventoryError` with all its problems.
        """
        from gitops.inventory_files import read_pattern
        from inventory.load import load_sources
        from inventory.model import Inventory
        from inventory.pattern import select

        whole = load_sources(self.sources())
        if not limit:
            return whole
        chosen = {h.name: h for h in select(whole, read_pattern(limit, self.cwd))}
        if not chosen:
            raise OrchError(f"no host matches {limit!r}", "See 'orch hosts list'.")
        return Inventory(path=whole.path, hosts=chosen, groups=whole.groups)

    def inventory_text(self) -> str:
        """Return all that the inventory is made of, as it was read, in one text."""
        sources = self.sources()
        if [f.path for f in sources.files] == [sources.path] and not any(
            f.texts for f in sources.folders
        ):
            return sources.files[0].text
        files = [(f.path, f.text) for f in sources.files]
        folders = [(f.path, sorted(f.texts.items())) for f in sources.folders]
        return json.dumps([files, folders], ensure_ascii=False)


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
