"""What an inventory is read from: texts with their paths. Whoever does the IO makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

# As Ansible looks for `group_vars/web`: the first of these that is there.
_EXTENSIONS = ("", ".yml", ".yaml", ".json")
_IGNORED_NAMES = ("group_vars", "host_vars", "vars_plugins")
_IGNORED_ENDINGS = (
    *(".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst"),
    *(".orig", ".cfg", ".retry"),
)


class Format(StrEnum):
    """How the text of an inventory file is read; `BY_NAME` goes by the path and by the text."""

    BY_NAME = "by name"
    SCRIPT = "script"


class Owner(StrEnum):
    """Whose variables a folder holds; the value is the folder's name."""

    GROUP = "group_vars"
    HOST = "host_vars"


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFile:
    """One inventory: YAML, INI, or what an executable one printed for ``--list``."""

    path: str
    text: str
    format: Format = Format.BY_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableFolder:
    """The folders ``group_vars`` and ``host_vars`` below `path`: texts by path below it."""

    path: str = ""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])

    def files(self, owner: Owner, name: str) -> Iterator[tuple[str, str]]:
        """Yield path and text of the files of a group or host, weakest first."""
        for extension in _EXTENSIONS:
            found = f"{owner}/{name}{extension}"
            if found in self.texts:
                yield self._named(found)
                return
            if inner := sorted(p for p in self.texts if p.startswith(f"{found}/")):
                yield from (self._named(p) for p in inner if _is_read(p[len(found) + 1 :]))
                return

    def _named(self, path: str) -> tuple[str, str]:
        return str(PurePosixPath(self.path) / path), self.texts[path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that an inventory is made of.

    `path` names it in errors, and is what relative key paths start from. Later files add to
    earlier ones; later folders override earlier ones.
    """

    path: str
    files: tuple[InventoryFile, ...] = ()
    folders: tuple[VariableFolder, ...] = ()


def is_ignored(name: str) -> bool:
    """Return whether a file or folder inside an inventory directory is no inventory."""
    return name.startswith(".") or name in _IGNORED_NAMES or name.endswith(_IGNORED_ENDINGS)


def _is_read(path: str) -> bool:
    *folders, file = path.split("/")
    hidden = any(p.startswith(".") or p.endswith("~") for p in (*folders, file))
    nested = not any(PurePosixPath(f).suffix for f in folders)
    return not hidden and nested and PurePosixPath(file).suffix in _EXTENSIONS
