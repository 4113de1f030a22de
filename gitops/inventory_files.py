"""The files an inventory is made of, read as Ansible finds them; executable ones are run.

Nothing here knows what an inventory means: texts and paths come out.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from inventory.pattern import split
from inventory.source import (
    Format,
    InventoryFile,
    Owner,
    Sources,
    VariableFolder,
    is_ignored,
)
from planner.errors import OrchError, reason

# An inventory of 3,000 hosts is about half a megabyte.
_FILE_LIMIT = 4 * 1024 * 1024
_TOTAL_LIMIT = 64 * 1024 * 1024
_COUNT_LIMIT = 20_000
_DEPTH_LIMIT = 16
_SCRIPT_SECONDS = 60.0
_SCRIPT_MARKS = (b"#!", b"\x7fELF")

Name = Callable[[Path], str]


def read_sources(path: Path, base: Path, shown: Name) -> Sources:
    """Read an inventory file or directory with its folders of variables.

    `base` is the folder whose `group_vars` and `host_vars` override those beside the inventory;
    `shown` names a path as the user would. Raises `OrchError` at what can't be read or run.
    """
    reader = _Reader(shown)
    beside = path if path.is_dir() else path.parent
    files = tuple(reader.inventories(path))
    if not files:
        raise OrchError(
            f"{shown(path)}: no inventory in this folder",
            "Put one in, such as hosts.yml; names beginning with '.' and endings such as .md, "
            ".txt, .cfg and .bak are passed over.",
        )
    folders = dict.fromkeys(p.resolve() for p in (beside, base))
    return Sources(
        path=shown(path),
        files=files,
        folders=tuple(VariableFolder(path=shown(p), texts=reader.variables(p)) for p in folders),
    )


def read_pattern(pattern: str, cwd: Path) -> str:
    """Return a host pattern in which ``@FILE`` is replaced by the patterns in it, one a line."""
    if "@" not in pattern:
        return pattern
    parts: list[str] = []
    for part in split(pattern):
        sign = part[0] if part[0] in "!&" else ""
        name = part[len(sign) :]
        if not name.startswith("@"):
            parts.append(part)
            continue
        lines = (line.strip() for line in _pattern_file(cwd / name[1:], name).splitlines())
        parts.extend(f"{sign}{line}" for line in lines if line and not line.startswith("#"))
    return ",".join(parts)


def _pattern_file(path: Path, name: str) -> str:
    try:
        with path.open("rb") as f:
            data = f.read(_FILE_LIMIT + 1)
        if len(data) > _FILE_LIMIT:
            raise OrchError(f"{name}: larger than 4 MiB", "It has one host pattern a line.")
        return data.decode()
    except (OSError, UnicodeDecodeError) as e:
        raise OrchError(f"{name}: {reason(e)}", "It has one host pattern a line.") from e


@dataclass(slots=True)
class _Reader:
    """Reads within limits over all files together."""

    shown: Name
    bytes_left: int = _TOTAL_LIMIT
    files_left: int = _COUNT_LIMIT

    def inventories(self, path: Path, depth: int = 0) -> Iterator[InventoryFile]:
        """Yield the inventory, or those in a directory and below, in the order of their names."""
        if path.is_dir():
            self._check_depth(path, depth)
            for name in sorted(_listed(path, self.shown)):
                if not is_ignored(name):
                    yield from self.inventories(path / name, depth + 1)
            return
        data = self._read(path)
        name = self.shown(path)
        if data.startswith(_SCRIPT_MARKS) and os.access(path, os.X_OK):
            text = _told(path, name)
            yield InventoryFile(path=f"{name} --list", text=text, format=Format.SCRIPT)
        else:
            yield InventoryFile(path=name, text=self._text(data, path))

    def variables(self, folder: Path) -> dict[str, str]:
        """Return the texts of a folder's `group_vars` and `host_vars`, by path below it."""
        return {
            str(found.relative_to(folder)): self._text(self._read(found), found)
            for owner in Owner
            if (folder / owner).is_dir()
            for found in self._below(folder / owner)
        }

    def _below(self, folder: Path, depth: int = 0) -> Iterator[Path]:
        self._check_depth(folder, depth)
        for name in sorted(_listed(folder, self.shown)):
            path = folder / name
            if path.is_dir():
                yield from self._below(path, depth + 1)
            elif path.is_file() and not name.startswith(".") and not name.endswith("~"):
                yield path

    def _check_depth(self, folder: Path, depth: int) -> None:
        if depth > _DEPTH_LIMIT:
            text = f"{self.shown(folder)}: folders are nested more than {_DEPTH_LIMIT} deep"
            raise OrchError(text, "Is a link inside the folder that it leads to?")

    def _read(self, path: Path) -> bytes:
        name = self.shown(path)
        try:
            with path.open("rb") as f:
                data = f.read(_FILE_LIMIT + 1)
        except FileNotFoundError as e:
            raise OrchError(
                f"{name}: no such inventory",
                "Write one ('orch init' makes a first), or set ORCH_INVENTORY. "
                "'orch dev' starts an embedded host with an inventory of its own.",
            ) from e
        except OSError as e:
            raise OrchError(f"{name}: {reason(e)}", _READABLE) from e
        if len(data) > _FILE_LIMIT:
            raise OrchError(f"{name}: larger than 4 MiB", "Split the inventory.")
        self.bytes_left -= len(data)
        self.files_left -= 1
        if self.bytes_left < 0 or self.files_left < 0:
            text = f"{name}: the inventory has more than {_COUNT_LIMIT} files or 64 MiB"
            raise OrchError(text, "Name a smaller inventory in orch.toml.")
        return data

    def _text(self, data: bytes, path: Path) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as e:
            raise OrchError(f"{self.shown(path)}: {reason(e)}", _READABLE) from e


_READABLE = "The inventory must be a readable UTF-8 file."


def _listed(folder: Path, shown: Name) -> list[str]:
    try:
        return [p.name for p in folder.iterdir()]
    except OSError as e:
        raise OrchError(f"{shown(folder)}: {reason(e)}", "The folder must be readable.") from e


def _told(path: Path, name: str) -> str:
    """Run an executable inventory; ask host by host what it does not tell at once."""
    text = _run(path, name, "--list")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return text  # whoever reads it says what is wrong
    if not isinstance(answer, dict) or "_meta" in answer:
        return text
    groups = cast("dict[str, object]", answer)
    hosts = dict.fromkeys(h for g in groups.items() for h in _hosts(*g))
    variables = {host: _variables(_run(path, name, "--host", host), name, host) for host in hosts}
    return json.dumps({**groups, "_meta": {"hostvars": variables}})


def _hosts(group: str, body: object) -> list[str]:
    if isinstance(body, dict):
        given = cast("dict[str, object]", body)
        alone = not given.keys() & {"hosts", "vars", "children"}
        body = [group] if alone else given.get("hosts")
    listed = cast("list[object]", body) if isinstance(body, list) else []
    return [h for h in listed if isinstance(h, str)]


def _variables(text: str, name: str, host: str) -> object:
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as e:
        raise OrchError(f"{name} --host {host}: it printed no JSON: {e}", _RUN) from e


def _run(path: Path, name: str, *arguments: str) -> str:
    said = f"{name} {' '.join(arguments)}"
    try:
        done = subprocess.run(
            [str(path.absolute()), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SCRIPT_SECONDS,
            check=False,
        )
    except OSError as e:
        raise OrchError(f"{said}: {reason(e)}", _RUN) from e
    except subprocess.TimeoutExpired as e:
        raise OrchError(f"{said}: no answer in {_SCRIPT_SECONDS:.0f} s", _RUN) from e
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        why = f": {last[0][:500]}" if last else ""
        raise OrchError(f"{said}: it ended with {done.returncode}{why}", _RUN)
    if len(done.stdout) > _FILE_LIMIT:
        raise OrchError(f"{said}: it printed more than 4 MiB", "Split the inventory.")
    try:
        return done.stdout.decode()
    except UnicodeDecodeError as e:
        raise OrchError(f"{said}: {reason(e)}", _RUN) from e


_RUN = "An executable inventory prints JSON, as Ansible asks for it; run it to see what it says."
