"""Reads ssh_config files, and those they include, once: files in, sections out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from executors.home import NoHomeError, at_home
from executors.printable import printable
from executors.ssh_config.errors import SshConfigError
from executors.ssh_config.options import HONOURED, LISTS, MISSED, WHOLE_LINE
from executors.ssh_config.sections import Condition, Criterion, Section, Setting
from executors.ssh_config.words import BadLineError, criteria, keyword, words
from planner.errors import reason

_DEPTH = 16
# Bytes; nobody writes more by hand, and generated ones for thousands of hosts are smaller.
_LARGEST = 16 * 1024 * 1024
_LONE = frozenset({"all", "canonical", "final"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A file to read. `base` is where relative Include lines lead; ``~`` is only the user's.

    `private` files must be writable by nobody else; the file need not be there unless `needed`.
    """

    path: str
    base: str = "~/.ssh"
    private: bool = False
    needed: bool = True


USUAL = (
    ConfigFile(path="~/.ssh/config", private=True, needed=False),
    ConfigFile(path="/etc/ssh/ssh_config", base="/etc/ssh", needed=False),
)


def read(files: tuple[ConfigFile, ...]) -> tuple[Section, ...]:
    """Return all sections in the order in which they count.

    Raises `SshConfigError` for a file that can't be read, and for a line that can't be understood.
    """
    return tuple(s for file in files for s in _Reading(file).sections())


def setting(name: str, rest: str, place: str) -> Setting:
    """Return the setting of a line. Raises `SshConfigError`, and `BadLineError` for a quote."""
    whole = rest.partition("#")[0] if name == "proxyjump" else rest
    found = (whole.strip(),) if name in WHOLE_LINE and whole.strip() else words(rest)
    if not found:
        raise SshConfigError(f"{place}: {name} has no value")
    if len(found) > 1 and name not in LISTS and name in HONOURED:
        raise SshConfigError(f"{place}: {name} takes one value; quote it if it has blanks")
    return Setting(name, found, place)


@dataclass(slots=True)
class _Reading:
    """One file with what it includes; `here` are the conditions of the line being read."""

    file: ConfigFile
    out: list[Section] = field(default_factory=list[Section])
    held: list[Setting] = field(default_factory=list[Setting])
    here: tuple[Condition, ...] = ()

    def sections(self) -> list[Section]:
        text = self._text(self.file.path, needed=self.file.needed)
        self._take(text, self.file.path, 0)
        return self.out

    def _take(self, text: str, path: str, depth: int) -> None:
        outer = self.here
        for number, line in enumerate(text.split("\n"), 1):
            name, rest = keyword(line)
            place = f"{path}:{number}"
            try:
                if name in {"host", "match"}:
                    self._close()
                    self.here = (*outer, _condition(name, rest, place))
                elif name == "include":
                    self._include(words(rest), place, depth)
                elif name in HONOURED or name in MISSED:
                    self.held.append(setting(name, rest, place))
            except BadLineError as e:
                raise SshConfigError(f"{place}: {e}") from e
        self._close()
        self.here = outer

    def _close(self) -> None:
        # an empty Match still asks for the second pass
        if self.held or (self.here and self.here[-1].criteria):
            self.out.append(Section(self.here, tuple(self.held)))
            self.held = []

    def _include(self, patterns: tuple[str, ...], place: str, depth: int) -> None:
        if depth >= _DEPTH:
            raise SshConfigError(f"{place}: Include goes deeper than {_DEPTH} files")
        self._close()
        here = self.here
        for pattern in patterns:
            for path in _included(pattern, self.file.base):
                self._take(self._text(path, needed=False), path, depth + 1)
                self.here = here

    def _text(self, path: str, *, needed: bool) -> str:
        try:
            full = at_home(path)
            if full.is_dir():
                return ""
            if self.file.private:
                _check_private(full, path)
            with full.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except FileNotFoundError as e:
            if not needed:
                return ""
            raise SshConfigError(f"{path}: no such file") from e
        except OSError as e:
            raise SshConfigError(f"{path}: {reason(e)}") from e
        except NoHomeError as e:
            raise SshConfigError(e.message, e.hint) from e
        if len(data) > _LARGEST:
            raise SshConfigError(f"{path}: larger than {_LARGEST >> 20} MB")
        return data.decode("utf-8", "surrogateescape")


def _condition(name: str, rest: str, place: str) -> Condition:
    if name == "match":
        return Condition(place, criteria=tuple(_tests(criteria(rest), place)))
    names = words(rest)
    if not names:
        raise SshConfigError(f"{place}: Host has no pattern")
    return Condition(place, names=names)


def _tests(parts: tuple[str, ...], place: str) -> Iterator[Criterion]:
    if not parts:
        raise SshConfigError(f"{place}: Match has no criterion")
    rest = iter(parts)
    for part in rest:
        name = part.lower().removeprefix("!")
        pattern = "" if name in _LONE else next(rest, None)
        if pattern is None:
            raise SshConfigError(f"{place}: Match {printable(name, 40)} has no pattern")
        yield Criterion(name, pattern, negated=part.startswith("!"))


def _included(pattern: str, base: str) -> list[str]:
    at = os.path.expanduser(pattern)  # noqa: PTH111 - a pattern is no path
    full = at if at.startswith("/") else f"{at_home(base)}/{at}"
    return sorted(glob(full))  # noqa: PTH207 - a pattern from the root


def _check_private(full: Path, path: str) -> None:
    """Refuse what ssh refuses: a file of somebody else's, or one that others can write."""
    status = full.stat()
    if status.st_uid not in {0, os.getuid()} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SshConfigError(
            f"{path}: others can write it", f"Make it yours alone, as ssh demands: chmod 600 {path}"
        )
