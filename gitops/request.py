"""What a command line asks about job specs. Apart from the reading, which costs imports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecRequest:
    """What the command line says about job specs; `files` empty means the whole repository."""

    files: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    var_files: tuple[str, ...] = ()
    rev: str = ""
