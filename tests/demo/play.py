"""Plays a page: does what it tells a reader to do, in order, and notes what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.demo.colour import ansi, marked, plain
from tests.demo.normal import normal
from tests.demo.page import Command, Piece, pieces, rewritten, world_of
from tests.demo.stage import silent
from tests.demo.terminal import Terminal
from tests.demo.worlds import WORLDS, World

_COLUMNS = 100
_ID = re.compile(r"\b(?:[0-9a-f]{40}|[0-9a-f]{8})\b")
_LAST_CODE = "echo $?"


class WrongTurnError(Exception):
    """A command did not come out as the page tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A page as it should be, and by name its pictures: text as a terminal takes it."""

    page: str
    pictures: Mapping[str, str]


@dataclass(slots=True)
class _Player:
    terminal: Terminal
    # what was typed and came of it, of all commands that the page shows
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    code: int = 0

    def take(self, piece: Piece) -> None:
        if piece.heading:
            self.terminal.out(f"\n# {piece.heading}\n")
        if piece.path:
            self._write(piece)
        if piece.hidden:
            for command in piece.commands:
                self._hidden(command)
        for command in piece.shown:
            self._type(command, coloured=bool(piece.picture))

    def _write(self, piece: Piece) -> None:
        home = self.terminal.environment["HOME"]
        path = (self.terminal.cwd / re.sub("^~(?=/)", home, piece.path)).resolve()
        if not path.is_relative_to(home):
            raise WrongTurnError(f"{piece.path} is not below the page's home")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(piece.text)
        if piece.text.startswith("#!"):
            path.chmod(0o755)

    def _hidden(self, command: Command) -> None:
        out, self.terminal.out = self.terminal.out, silent
        code, text = self.terminal.run(command.typed)
        self.terminal.out = out
        if code:
            raise WrongTurnError(f"{command.typed}: exit code {code}\n{text}")

    def _type(self, command: Command, *, coloured: bool) -> None:
        typed = self._with_real_ids(command.typed)
        if typed == _LAST_CODE:
            self.terminal.out(f"$ {typed}\n{self.code}\n")
            self.told.append((typed, f"{self.code}\n"))
            self.code = 0
            return
        if self.code:
            raise WrongTurnError(f"{self.told[-1][0]}: exit code {self.code}\n{self.told[-1][1]}")
        self.told.append((typed, self._run(typed, command, coloured=coloured)))

    def _run(self, typed: str, command: Command, *, coloured: bool) -> str:
        if typed.endswith("&"):
            return self.terminal.start(typed, command.prints.rpartition("\n")[0].splitlines()[-1])
        if coloured:
            self.code, text = self.terminal.run_in_colour(typed, _COLUMNS)
            return marked(text)
        self.code, text = self.terminal.run(typed)
        return text

    def _with_real_ids(self, typed: str) -> str:
        if not _ID.search(typed):
            return typed
        ids: dict[str, str] = {}
        normal(_joined(self.told), ids)
        real = {shown: found for found, shown in ids.items()}
        return _ID.sub(lambda m: real.get(m[0], m[0]), typed)


def told(page: str, out: Callable[[str], None], worlds: Mapping[str, World] = WORLDS) -> Told:
    """Play a page to `out`, and return it as it should be: in normal form.

    Raises `WrongTurnError` where a command fails, and the page does not ask for its exit code.
    """
    parts = list(pieces(page))
    with worlds[world_of(page)](out) as terminal:
        player = _Player(terminal)
        for piece in parts:
            player.take(piece)
    if player.code:
        raise WrongTurnError(f"{player.told[-1][0]}: exit code {player.code}")
    outputs = _outputs(normal(_joined(player.told)), len(player.told))
    return Told(
        page=rewritten(page, [plain(o) for o in outputs]), pictures=_pictures(parts, outputs)
    )


def _joined(told: Sequence[tuple[str, str]]) -> str:
    return "".join(f"$ {typed}\n{_ended(text)}" for typed, text in told)


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _outputs(text: str, count: int) -> list[str]:
    found = re.split(r"^\$ .*\n", text, flags=re.MULTILINE)[1:]
    if len(found) != count:
        raise WrongTurnError(f"{len(found)} outputs of {count} commands; one looks like a prompt")
    return found


def _pictures(parts: Sequence[Piece], outputs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    left = iter(outputs)
    for piece in parts:
        for command in piece.shown:
            output = next(left)
            if piece.picture:
                found[piece.picture] = f"$ {command.typed}\n{ansi(output)}"
    return found
