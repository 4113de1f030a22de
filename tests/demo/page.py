"""A page of the docs as what it tells a reader to do: files to write, commands to type. Pure.

In its source, apart from Markdown:

    <!-- world: hello -->           where its commands run; see `tests.demo.worlds`
    ```toml title="orch.toml"       a file to write, below the folder that the session is in
    ```console                      commands behind `$ `, each followed by what it prints; a line
                                    `…` stands for any lines
    <!-- not run: why -->           above a block: its commands can't be run here
    <!-- picture: plan -->          above a block: its only command is drawn for docs/pictures
    <!-- run                        commands that a reader need not see, up to `-->`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

_WORLD = re.compile(r"^<!-- world: (\w+) -->$", re.MULTILINE)
_PIECE = re.compile(
    r"^(?P<head>(?:<!-- (?P<mark>not run|picture): (?P<said>[^\n]+?) -->\n)?"
    r"```(?P<kind>\w+)(?: title=\"(?P<title>[^\"\n]+)\")?\n)(?P<body>.*?)^```$"
    r"|^<!-- run\n(?P<hidden>.*?)^-->$"
    r"|^#+ (?P<heading>[^\n]+)$",
    re.MULTILINE | re.DOTALL,
)
# Up to the next command, and the comments above that.
_COMMAND = re.compile(
    r"(?P<above>(?:\n|^# .*\n)*)^\$ (?P<typed>.*)\n(?P<prints>(?:(?!(?:\n(?:# .*\n)+)?\$ ).*\n)*)",
    re.MULTILINE,
)
_ANY = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is typed; `prints` is what the page says of its output, `above` the lines before it."""

    typed: str
    prints: str = ""
    above: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a page. `source` is its text; only one of the others is there, or none."""

    source: str
    heading: str = ""
    path: str = ""
    text: str = ""
    commands: tuple[Command, ...] = ()
    hidden: bool = False
    picture: str = ""
    reason: str = ""

    @property
    def shown(self) -> tuple[Command, ...]:
        """The commands whose output the page has."""
        return () if self.hidden or self.reason else self.commands


def world_of(page: str) -> str:
    """Return the world that a page wants, or nothing."""
    found = _WORLD.search(page)
    return found[1] if found else ""


def pieces(page: str) -> Iterator[Piece]:
    """Yield all parts of a page; joined, their sources are the page."""
    end = 0
    for match in _PIECE.finditer(page):
        yield Piece(source=page[end : match.start()])
        yield _piece(match)
        end = match.end()
    yield Piece(source=page[end:])


def _piece(match: re.Match[str]) -> Piece:
    found = match.groupdict(default="")
    if found["hidden"]:
        typed = [line.removeprefix("$ ") for line in found["hidden"].splitlines()]
        commands = tuple(Command(typed=line) for line in typed)
        return Piece(source=match[0], commands=commands, hidden=True)
    if found["kind"] == "console":
        return Piece(
            source=match[0],
            commands=tuple(_commands(found["body"])),
            reason=found["said"] if found["mark"] == "not run" else "",
            picture=found["said"] if found["mark"] == "picture" else "",
        )
    return Piece(source=match[0], heading=found["heading"], path=found["title"], text=found["body"])


def _commands(body: str) -> Iterator[Command]:
    end = 0
    for match in _COMMAND.finditer(body):
        if match.start() != end:
            break
        end = match.end()
        yield Command(typed=match["typed"], prints=match["prints"], above=match["above"])
    if end != len(body):
        raise ValueError(f"no command in {body[end:]!r}")


def rewritten(page: str, outputs: Sequence[str]) -> str:
    """Return the page with these outputs, one for each command that is shown."""
    left = iter(outputs)
    parts: list[str] = []
    for piece in pieces(page):
        given = list(islice(left, len(piece.shown)))
        parts.append(_with_outputs(piece, given) if piece.shown else piece.source)
    return "".join(parts)


def _with_outputs(piece: Piece, outputs: Sequence[str]) -> str:
    head = piece.source[: piece.source.index("```console\n")]
    body = "".join(
        f"{c.above}$ {c.typed}\n{kept(c.prints, output)}"
        for c, output in zip(piece.commands, outputs, strict=True)
    )
    return f"{head}```console\n{body}```"


def kept(prints: str, output: str) -> str:
    """Return what the page says of an output where it is right, else the output."""
    lines = (".*\n" if line == _ANY else re.escape(line) + "\n" for line in prints.splitlines())
    pattern = "".join(f"(?:{x})*?" if x == ".*\n" else x for x in lines)
    return prints if re.fullmatch(pattern, output) else output
