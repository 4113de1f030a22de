"""What `orch fmt` does: finds HCL files, formats each, and writes it as a whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from io import StringIO
from pathlib import Path

from gitops.cli.say import say, say_error
from planner.errors import OrchError, reason

STDIN = "-"
_SUFFIXES = (".hcl", ".nomad")
_NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What becomes of a file that is not formatted: all of it may be wanted at once."""

    check: bool = False
    diff: bool = False
    write: bool = True
    list: bool = True
    recursive: bool = False


@dataclass(frozen=True, slots=True)
class _Formatted:
    """A file, by the name it is shown with, as it is and as it should be."""

    name: str
    old: str
    new: str

    @property
    def differs(self) -> bool:
        return self.old != self.new

    def diff(self) -> str:
        old, new = (list(StringIO(t, newline="\n")) for t in (self.old, self.new))
        lines = unified_diff(old, new, self.name, self.name)
        return "".join(x if x.endswith("\n") else f"{x}\n{_NO_NEWLINE}\n" for x in lines)


def fmt(names: Sequence[str], wish: Wish) -> int:
    """Format files, those of folders, or stdin; return the exit code.

    It is 1 if a file can't be formatted, or with `wish.check` isn't. All files are looked at.
    """
    _use_grammar_cache()
    if STDIN in names:
        return _stdin(names, wish)
    code = 0
    for path in _files(names or (".",), recursive=wish.recursive):
        try:
            found = _read(path)
            _deal_with(found, path, wish)
        except OrchError as e:
            say_error(e.message, e.hint)
            code = 1
        else:
            code = max(code, int(wish.check and found.differs))
    return code


def _stdin(names: Sequence[str], wish: Wish) -> int:
    if len(names) > 1:
        raise OrchError("- is stdin, and cannot be named beside files", "Name either.")
    found = _formatted("<stdin>", sys.stdin.buffer.read())
    if wish.diff:
        say(found.diff())
    elif not wish.check:
        sys.stdout.write(found.new)
    return int(wish.check and found.differs)


def _deal_with(found: _Formatted, path: Path, wish: Wish) -> None:
    if not found.differs:
        return
    if wish.write and not wish.check:
        _replace(path, found.new)
    if wish.list:
        say(found.name)
    if wish.diff:
        say(found.diff())


def _files(names: Sequence[str], *, recursive: bool) -> Iterator[Path]:
    """Yield the files that are meant, each once, in the order of their names."""
    seen: set[Path] = set()
    for name in names:
        path = Path(name)
        if not path.exists():
            raise OrchError(f"{name}: no such file or folder", "Name one that exists.")
        for file in _below(path, recursive=recursive) if path.is_dir() else (path,):
            if file not in seen:
                seen.add(file)
                yield file


def _below(folder: Path, *, recursive: bool) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as e:
        raise OrchError(f"{folder}: {reason(e)}", "Name a folder that can be read.") from e
    yield from (e for e in entries if e.suffix in _SUFFIXES and e.is_file())
    for entry in entries if recursive else ():
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield from _below(entry, recursive=True)


def _read(path: Path) -> _Formatted:
    try:
        return _formatted(str(path), path.read_bytes())
    except OSError as e:
        raise OrchError(f"{path}: {reason(e)}", "Name a file that can be read.") from e


def _formatted(name: str, data: bytes) -> _Formatted:
    from gitops.jobspec.format import formatted

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise OrchError(f"{name}: {reason(e)}", "A job file is readable UTF-8 text.") from e
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        raise OrchError(f"{name}: this is JSON", "Only HCL is formatted.")
    return _Formatted(name, text, formatted(text, path=name))


def _replace(path: Path, text: str) -> None:
    """Write the file anew beside itself, then put it in its place, with the mode it had."""
    target = path.resolve()
    try:
        mode = target.stat().st_mode
        handle, new = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
            Path(new).chmod(mode & 0o7777)
            Path(new).replace(target)
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise OrchError(f"{path}: {reason(e)}", "Name a file that can be written.") from e


def _use_grammar_cache() -> None:
    from gitops.caches import cache_folder
    from gitops.jobspec.cache import use_grammar

    with suppress(RuntimeError):  # no home directory
        use_grammar(cache_folder(os.environ) / "specs")
