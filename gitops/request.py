"""What a command line asks about job specs. Apart from the reading, which costs imports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecRequest:
    """What the command line says about job specs; `files` empty means the whole repository.

    Where it is not `strict`, values for variables that no spec declares are warnings.
    """

    files: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    var_files: tuple[str, ...] = ()
    rev: str = ""
    strict: bool = True
    # a pattern: other hosts are not looked at, and nothing is done there
    limit: str = ""
    # ids of jobs: no other ones are planned; none means all
    targets: tuple[str, ...] = ()
