"""Where words go: data to stdout, progress and errors to stderr; colour only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from typing import IO

from gitops.view.safe import clean

_RED, _BOLD, _END = "\x1b[31m", "\x1b[1m", "\x1b[0m"


def coloured(stream: IO[str], no_colour: bool = False) -> bool:
    """Whether colour is wanted on that stream: a terminal, and nobody said no."""
    refused = no_colour or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not refused


def say(text: str) -> None:
    """Print data."""
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def say_json(data: object) -> None:
    """Print data as JSON."""
    say(json.dumps(data, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Print progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_error(message: str, hint: str = "") -> None:
    """Print an error and its next step; what hosts or files put into it cannot steer a terminal."""
    word = f"{_RED}{_BOLD}Error:{_END}" if coloured(sys.stderr) else "Error:"
    sys.stderr.write(f"{word} {_clean(message)}\n")
    if hint:
        sys.stderr.write(f"\n{_clean(hint)}\n")


def _clean(text: str) -> str:
    return "\n".join(clean(line) for line in text.splitlines())
