"""What a shell offers for the word that is being typed. Asks no host and no ledger; never fails.

Words and flags come from the commands themselves, ids and hosts from what commands have seen last.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitops.cli.words import SECTIONS, Word, Words
from gitops.known import Known, Row

# Set by the scripts that `orch completion` prints, to the name of the shell.
VARIABLE = "_ORCH_COMPLETE"
_FIT = re.compile(r"[\w.@:+/\[\]-]+")
# What is typed for an argument, by the word that help has for it.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "JOB": ("job",),
    "ALLOC": ("alloc",),
    "JOB|ALLOC": ("job", "alloc"),
    "NODE": ("node", "host"),
    "DEPLOYMENT": ("deployment",),
    "EVAL": ("eval",),
    "SERVICE": ("service",),
    "HOST": ("host",),
    "PATTERN": ("host", "group"),
    "ID": ("job", "alloc", "node", "deployment", "eval"),
}
# Ids that are shown cut, as everywhere.
_LONG = ("alloc", "deployment", "eval")
_SHORT = 8


def main(argv: Sequence[str]) -> None:
    """Print what may stand in place of the last word of `argv`, each with what it is."""
    shell = os.environ.get(VARIABLE, "")
    found: list[Row] = []
    with suppress(Exception):
        found = offers(argv, _known, tells=shell != "bash")
    lines = [_line(shell, row) for row in found]
    with suppress(OSError):
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()


def offers(argv: Sequence[str], known: Any, *, tells: bool) -> list[Row]:  # noqa: ANN401
    """Return what may stand in place of the last word; `known()` is asked for ids and hosts.

    With `tells`, words come with what they are for: that takes a little longer.
    """
    *typed, last = _joined(argv)
    word, rest = _command(typed)
    if isinstance(word, Word):
        return list(_of_command(word, rest, last, known))
    words = word.words if isinstance(word, Words) else [w for s in SECTIONS for w in s.words]
    if rest:
        return []
    return [(w.name, _summary(w) if tells else "") for w in words if w.name.startswith(last)]


def _joined(argv: Sequence[str]) -> list[str]:
    """Put together what bash takes apart at ``=``; the value of a flag is a word of its own."""
    words: list[str] = []
    for word in argv or [""]:
        flag, equals, value = word.partition("=")
        if word == "=" and words and words[-1].startswith("-"):
            continue
        words += [flag, value] if equals and flag.startswith("-") else [word]
    # `-flag =` is about to get its value.
    return [*words, ""] if argv and argv[-1] == "=" else words


def _command(typed: Sequence[str]) -> tuple[Word | Words | None, Sequence[str]]:
    """Return the word that was typed, as far as there is one, and what follows it."""
    words: Iterable[Word | Words] = (w for s in SECTIONS for w in s.words)
    found: Word | Words | None = None
    for i, name in enumerate(typed):
        found = next((w for w in words if w.name == name), None)
        if not isinstance(found, Words):
            return found, typed[i + 1 :] if found else typed[i:]
        words = found.words
    return found, ()


def _summary(word: Word | Words) -> str:
    from gitops.cli.commands import summary

    return summary(word)


def _of_command(word: Word, typed: Sequence[str], last: str, known: Any) -> Iterator[Row]:  # noqa: ANN401
    """Yield flags, values of a flag, or what an argument may be."""
    from gitops.cli.commands import built

    params: Sequence[Any] = built(word).params
    flags: dict[str, Any] = {
        _name(o): p for p in params if p.param_type_name == "option" for o in p.opts
    }
    place = 0
    takes: Any = None
    for each in typed:
        if takes is not None:
            takes = None
        elif each.startswith("-") and each != "-":
            option = flags.get(_name(each))
            takes = option if option is not None and not option.is_flag else None
        else:
            place += 1
    if takes is not None:
        yield from _values(_typed_for(takes), last, known)
    elif last.startswith("-") and not (word.follows and place):
        yield from _flags(flags, last)
    elif not (word.follows and place):
        yield from _values(_argument(params, place, typed), last, known)


def _name(flag: str) -> str:
    return flag.lstrip("-")


def _flags(flags: Mapping[str, Any], last: str) -> Iterator[Row]:
    dashes = "--" if last.startswith("--") else "-"
    for name, option in sorted(flags.items()):
        if len(name) > 1 and name.startswith(_name(last)):
            yield f"{dashes}{name}", (option.help or "").replace("--", "-")


def _typed_for(param: Any) -> str:  # noqa: ANN401
    return str(param.metavar or "").split(" ", maxsplit=1)[0].strip("[].")


def _argument(params: Iterable[Any], place: int, typed: Sequence[str]) -> str:
    arguments = [p for p in params if p.param_type_name == "argument"]
    if not arguments or (place >= len(arguments) and arguments[-1].nargs == 1):
        return ""
    wanted = _typed_for(arguments[min(place, len(arguments) - 1)])
    by_job = wanted == "ALLOC" and any(_name(w) == "job" for w in typed if w.startswith("-"))
    return "JOB" if by_job else wanted


def _values(wanted: str, last: str, known: Any) -> Iterator[Row]:  # noqa: ANN401
    if wanted not in _KINDS:
        words = wanted.split("|") if wanted.islower() else []
        yield from ((w, "") for w in words if w.startswith(last))
        return
    rows = known()
    seen: set[str] = set()
    for kind in _KINDS[wanted]:
        for name, about in rows.get(kind, ()):
            shown = name[:_SHORT] if kind in _LONG and len(last) <= _SHORT else name
            if shown.startswith(last) and shown not in seen and _FIT.fullmatch(shown):
                seen.add(shown)
                yield shown, about


def _known() -> dict[str, list[Row]]:
    from gitops.caches import cache_folder
    from gitops.config import find

    root = find(Path.cwd()).parent
    return Known(root, cache_folder(os.environ)).rows()


def _line(shell: str, row: Row) -> str:
    word, about = row
    about = " ".join("".join(c if c.isprintable() else " " for c in about).split())
    if shell == "zsh":
        escaped = word.replace("\\", "\\\\").replace(":", "\\:")
        return f"{escaped}:{about}" if about else escaped
    return f"{word}\t{about}" if shell == "fish" and about else word
