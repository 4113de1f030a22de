"""The shell scripts that run on hosts, as commands. Reads package files only; runs nothing."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script(*names: str) -> str:
    """The text of scripts in `executors/host`, joined in this order."""
    folder = files("executors").joinpath("host")
    texts = (folder.joinpath(f"{n}.sh").read_text(encoding="utf-8") for n in names)
    return "\n".join(line for text in texts for line in text.splitlines() if _says(line))


def _says(line: str) -> bool:
    """Whether a line is more than a comment: those stay here, since scripts go to every host."""
    text = line.lstrip()
    return bool(text) and not text.startswith("#")


def command(*names: str, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The argument list that runs these scripts on a host; nothing secret belongs in it."""
    return ("sh", "-c", script(*names), "orch", *arguments)
