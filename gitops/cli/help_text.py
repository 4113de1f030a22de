"""Help for a terminal: what is typed, what each part means, 80 columns wide. No colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

WIDTH = 80
# Where the explanations of flags begin, at the latest.
_MOST = 28
_TWO_DASHES = re.compile(r"(?<![-\w])--(?=[a-z])")
_HELP = ("-h, -help", "Show this help.")

Row = tuple[str, str]


def one_dash(text: str) -> str:
    """Write flags with one dash, as they are written everywhere else."""
    return _TWO_DASHES.sub("-", text)


def of_group(path: str, about: str, sections: Iterable[tuple[str, Sequence[Row]]]) -> str:
    """Return the help of a word that is followed by another one."""
    shown = list(sections)
    margin = max(len(name) for _, rows in shown for name, _ in rows) + 2
    lines = [f"Usage: {path} COMMAND, or {path} COMMAND -help", "", *_indented(about), ""]
    for title, rows in shown:
        lines += [f"{title}:", *_rows(rows, margin)]
    return "\n".join(lines)


def of_command(path: str, command: Any) -> str:  # noqa: ANN401 - typer names this type in private
    """Return the help of a command: its words, and its flags with their variables."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([path, *(["[FLAGS]"] if options else []), *map(_typed, arguments)])
    lines = [f"Usage: {usage}", ""]
    for paragraph in (command.help or "").split("\n\n"):
        lines += [*_indented(" ".join(paragraph.split())), ""]
    if arguments:
        lines += ["Arguments:", *_table([(_typed(a), a.help or "") for a in arguments]), ""]
    return "\n".join([*lines, "Options:", *_table([*map(_option, options), _HELP])])


def _option(option: Any) -> Row:  # noqa: ANN401
    """Return a flag as it is typed, and what it is for."""
    names = ", ".join(one_dash(o) for o in sorted(option.opts, key=len))
    if not option.is_flag:
        names = f"{names} {_typed(option)}"
    notes = [one_dash(option.help or "")]
    if (shown := _default(option)) is not None:
        notes.append(f"(default {shown})")
    if option.envvar:
        notes.append(f"[${option.envvar}]")
    return names, " ".join(notes)


def _typed(param: Any) -> str:  # noqa: ANN401
    return str(param.metavar or param.name.upper())


def _default(option: Any) -> str | None:  # noqa: ANN401
    value = option.default
    if option.is_flag or not option.show_default or value in (None, "", 0, ()):
        return None
    if isinstance(value, float):
        return f"{value:g}s" if _typed(option) == "DURATION" else f"{value:g}"
    return str(value)


def _table(rows: Sequence[Row]) -> list[str]:
    return _rows(rows, min(max(len(left) for left, _ in rows) + 2, _MOST))


def _rows(rows: Iterable[Row], margin: int) -> list[str]:
    lines: list[str] = []
    for left, right in rows:
        first, *more = wrap(right, WIDTH - 2 - margin, break_on_hyphens=False) or [""]
        if len(left) + 2 > margin:
            lines.append(f"  {left}")
            lines.append(f"  {'':{margin}}{first}")
        else:
            lines.append(f"  {left:{margin}}{first}".rstrip())
        lines += [f"  {'':{margin}}{line}" for line in more]
    return lines


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in wrap(text, WIDTH - 2, break_on_hyphens=False)]
