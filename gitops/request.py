"""What a command line asks about job specs. Apart from the reading, which costs imports."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    # hosts that are lost for good: what ran there is replaced
    lost: tuple[str, ...] = ()
    # whether a host of which nothing is known is an error
    fails_unreachable: bool = False
    # which comes first in an update; empty for what orch.toml says
    order: str = field(default="", metadata={"omitempty": True})
