"""Where words go: data to stdout, progress and errors to stderr; colour only on a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from textwrap import wrap
from typing import TextIO

from gitops.jobspec import marks
from gitops.view.safe import clean

_WIDTH = 80
# What JSON may hold as it is, and terminals act upon; and halves of characters.
_UNSEEN = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COMMANDS = ("orch ", "git ")
# Shorter values are left alone: they are in every other word.
_SHORTEST = 5
_RED, _BOLD, _END = "\x1b[31m", "\x1b[1m", "\x1b[0m"


def coloured(stream: TextIO, no_colour: bool = False) -> bool:
    """Whether colour is wanted on that stream: a terminal, and nobody said no."""
    refused = no_colour or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not refused


# Texts that no progress and no error may hold, longest first.
_hidden: list[str] = []


def hide(words: Iterable[str]) -> None:
    """Show these texts as ``(sensitive)`` from now on, in whatever goes to stderr.

    Hosts and libraries word errors, and may quote what they were given. Data has marks instead, and
    may hold such a word by chance.
    """
    for word in words:
        if len(word) >= _SHORTEST:
            _hidden.extend(
                {word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}
            )
    _hidden.sort(key=len, reverse=True)


def _fit_to_show(text: str, stream: TextIO) -> str:
    for word in _hidden if stream is sys.stderr else ():
        text = text.replace(word, marks.SHOWN)
    return marks.shown(text)


def say(text: str) -> None:
    """Print data."""
    _put(sys.stdout, text if text.endswith("\n") or not text else text + "\n")


def say_json(data: object, *, indent: int | None = 2) -> None:
    """Print data as JSON, on one line where `indent` is None; nothing in it steers a terminal."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    # They stand in strings alone, where an escape means the same.
    say(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def note(text: str) -> None:
    """Print progress."""
    _put(sys.stderr, text + "\n")


_told: set[str] = set()


def begin() -> None:
    """Forget what the last command of this process has printed once."""
    _told.clear()


def note_once(text: str) -> None:
    """Print progress, unless this command has printed it before."""
    if text not in _told:
        _told.add(text)
        note(text)


def say_error(message: str, hint: str = "") -> None:
    """Print an error and its next step; what hosts or files put into it cannot steer a terminal."""
    word = f"{_RED}{_BOLD}Error:{_END}" if coloured(sys.stderr) else "Error:"
    parts = [f"{word} {_clean(message)}", *([_sentence(hint)] if hint else [])]
    _put(sys.stderr, "\n\n".join(parts) + "\n")


def say_interrupted() -> None:
    """Print the error of a command that Ctrl-C has ended."""
    hint = "What was begun is recorded. Go on: the same command, or 'orch apply -resume'."
    say_error("interrupted", hint)


def say_advice(text: str) -> None:
    """Print what the user may want to do, on stderr, as wide as a terminal, and once."""
    note_once(_wrapped(_clean(text)))


def silence(stream: TextIO) -> None:
    """Send what is still to come to nowhere: its reader has left, which ends no work."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _put(stream: TextIO, text: str) -> None:
    shown = _fit_to_show(text, stream)
    try:
        try:
            stream.write(shown)
        except UnicodeEncodeError:  # no UTF-8 there, or a name whose bytes are no text
            encoding = stream.encoding
            stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        silence(stream)


def _sentence(hint: str) -> str:
    text = _clean(hint).replace("`", "'")
    if not text.startswith(_COMMANDS):
        text = text[:1].upper() + text[1:]
    return _wrapped(text)


def _wrapped(text: str) -> str:
    """Fill prose to the width of a terminal; indented lines are to be copied, and stay whole."""
    return "\n".join(
        line if line.startswith(" ") else "\n".join(_fill(line)) for line in text.splitlines()
    )


def _fill(line: str) -> list[str]:
    return wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]


def _clean(text: str) -> str:
    return "\n".join(clean(line) for line in text.splitlines())
