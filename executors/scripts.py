"""The shell scripts that run on hosts, as commands. Reads package files only; runs nothing."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script(*names: str) -> str:
    """The text of scripts in `executors/host`, joined in this order."""
    folder = files("executors").joinpath("host")
    return "\n".join(folder.joinpath(f"{n}.sh").read_text(encoding="utf-8") for n in names)


def command(*names: str, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The argument list that runs these scripts on a host; nothing secret belongs in it."""
    return ("sh", "-c", script(*names), "orch", *arguments)
