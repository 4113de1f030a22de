"""What a task's command does, read from its few lines of shell: sleeps, exits, traps and loops."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NoReturn, cast

from executors.sim.behaviour import Behaviour, Exit, Reaction, ended_by
from planner.job import SECOND, Task

_INTERRUPT = 2
_UNITS = {"s": 1, "m": 60, "h": 3600}
# What a script may say without anything coming of it.
_IDLE = ("echo", "printf", "set", "export", "cd", "umask", "mkdir", "touch", ":", "true")
_FOR_EVER = ("true", ":")


class UnreadableError(Exception):
    """A command that this reader does not understand."""


class _Finished(Exception):  # noqa: N818 - it is no error
    """The script has come to its end."""


@dataclass(slots=True)
class _Process:
    """A shell as far as it has run: the time in ns, the code of the last command, its traps."""

    time: int = 0
    code: int = 0
    pauses: list[int] = field(default_factory=list[int])
    every: int = 0
    traps: dict[str, str] = field(default_factory=dict[str, str])
    lasts_for_ever: bool = False
    is_shell: bool = True


def behaviour_of(task: Task) -> Behaviour:
    """Return what one run of the task does. Raises `UnreadableError` where that can't be told."""
    command, words = _command(task)
    program = PurePath(command).name
    if program in ("sh", "bash", "dash") and words[:1] == ["-c"]:
        return _read(words[1])
    process = _Process()
    _replaced(process, [program, *words])
    return _behaviour(process)


def _command(task: Task) -> tuple[str, list[str]]:
    command, args = task.config.get("command"), task.config.get("args", ())
    if not isinstance(command, str) or not isinstance(args, list | tuple):
        raise UnreadableError(f"{task.driver} without a command")
    return command, [str(a) for a in cast("Sequence[object]", args)]


def _read(script: str) -> Behaviour:
    process = _Process()
    with contextlib.suppress(_Finished):
        _run(process, _tokens(script))
    return _behaviour(process)


def _behaviour(process: _Process) -> Behaviour:
    return Behaviour(
        lasts=None if process.lasts_for_ever else process.time,
        exit=Exit(code=process.code),
        reactions=_reactions(process),
        pauses=tuple(process.pauses),
        every=process.every,
    )


def _reactions(process: _Process) -> Mapping[str, Reaction | None]:
    found: dict[str, Reaction | None] = {}
    if process.is_shell:
        # A shell that was given its script waits for what it runs before it takes an interrupt.
        found["SIGINT"] = Reaction(exit=ended_by(_INTERRUPT), waits=True)
    for name, action in process.traps.items():
        if not action:
            found[name] = None
        elif process.is_shell:
            found[name] = _trapped(action)
        # A program that took the shell's place has no traps, but goes on ignoring.
    return found


def _trapped(action: str) -> Reaction | None:
    handler = _Process()
    try:
        _run(handler, _tokens(action))
    except _Finished:
        return Reaction(exit=Exit(code=handler.code), after=handler.time, waits=True)
    return None


def _tokens(script: str) -> list[str]:
    plain = re.sub(r"\$\([^()]*\)", "X", script.strip())
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=";&|<>()\n")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError as e:
        raise UnreadableError(f"{script!r}: {e}") from e


def _run(process: _Process, tokens: Sequence[str]) -> None:
    """Run a list of commands; raises `_Finished` where it ends the script."""
    joint = ";"
    for joint_before, command in _commands(tokens, joint):
        skipped = (joint_before == "&&" and process.code) or (
            joint_before == "||" and not process.code
        )
        if not skipped:
            _step(process, command)


def _commands(tokens: Sequence[str], joint: str) -> Iterator[tuple[str, list[str]]]:
    """Cut at separators outside of loops; what joined a command to the one before is with it."""
    depth, command = 0, list[str]()
    for token in tokens:
        depth += {"do": 1, "done": -1}.get(token, 0)
        if _joins(token) and not depth and not _in_head(command):
            if command:
                yield joint, command
            joint, command = token.strip(";\n") or ";", []
        else:
            command.append(token)
    if depth or _in_head(command):
        raise UnreadableError("a loop that is not closed")
    if command:
        yield joint, command


def _joins(token: str) -> bool:
    return token in ("&&", "||") or (bool(token) and not token.strip(";\n"))


def _in_head(command: Sequence[str]) -> bool:
    return command[:1] in (["while"], ["until"], ["for"]) and "do" not in command


def _step(process: _Process, command: Sequence[str]) -> None:
    if any(w in ("&", "|", "(", ")", "if", "case", "{") for w in command):
        raise UnreadableError(f"{shlex.join(command)}: too much for this reader")
    word, *rest = command
    do = _COMMANDS.get(word)
    if do is not None:
        do(process, rest)
    elif word in _IDLE:
        process.code = 0
    else:
        raise UnreadableError(f"{word}: not a command that is known here")


def _sleep(process: _Process, words: Sequence[str]) -> None:
    for word in words:
        if word in ("inf", "infinity"):
            process.lasts_for_ever = True
            raise _Finished
        found = re.fullmatch(r"(\d*\.?\d+)([smh]?)", word)
        if not found:
            raise UnreadableError(f"sleep {word}")
        process.time += int(float(found[1]) * _UNITS[found[2] or "s"] * SECOND)
    process.pauses.append(process.time)
    process.code = 0


def _exit(process: _Process, words: Sequence[str]) -> NoReturn:
    if words:
        if not words[0].isdigit():
            raise UnreadableError(f"exit {words[0]}")
        process.code = int(words[0]) % 256
    raise _Finished


def _false(process: _Process, _: Sequence[str]) -> None:
    process.code = 1


def _exec(process: _Process, words: Sequence[str]) -> NoReturn:
    process.is_shell = False
    _replaced(process, words)
    raise _Finished


def _replaced(process: _Process, words: Sequence[str]) -> None:
    """A program has taken the place of the shell, or there never was one."""
    process.is_shell = False
    match [PurePath(words[0]).name if words else "", *words[1:]]:
        case ["sleep", *times]:
            try:
                _sleep(process, times)
            except _Finished:
                return
            process.pauses.clear()
        case ["true"]:
            process.code = 0
        case ["false"]:
            process.code = 1
        case _:
            raise UnreadableError(f"{shlex.join(words)}: not a program that is known here")


def _trap(process: _Process, words: Sequence[str]) -> None:
    action, *names = words
    for name in names:
        if name in ("EXIT", "0"):
            raise UnreadableError("trap … EXIT")
        signal = name if name.startswith("SIG") else f"SIG{name}"
        if action == "-":
            process.traps.pop(signal, None)
        else:
            process.traps[signal] = action


def _loop(process: _Process, words: Sequence[str], goes_on: bool) -> None:
    """A loop that only a signal, or an exit within it, ends."""
    do = words.index("do")
    condition = [w for w in words[:do] if w.strip(";\n")]
    if len(condition) != 1 or (condition[0] in _FOR_EVER) is not goes_on:
        raise UnreadableError(f"a loop with the condition {shlex.join(condition)}")
    before = process.time
    _run(process, words[do + 1 : -1])
    process.every = process.time - before
    if not process.every:
        raise UnreadableError("a loop that never waits")
    process.lasts_for_ever = True
    raise _Finished


def _for(process: _Process, words: Sequence[str]) -> None:
    do = words.index("do")
    head = [w for w in words[:do] if w.strip(";\n")]
    if head[1:2] != ["in"] or any("$" in w or "X" in w for w in head):
        raise UnreadableError(f"for {shlex.join(head)}")
    for _ in head[2:]:
        _run(process, words[do + 1 : -1])


_COMMANDS: Mapping[str, Callable[[_Process, Sequence[str]], None]] = {
    "sleep": _sleep,
    "exit": _exit,
    "exec": _exec,
    "trap": _trap,
    "false": _false,
    "while": lambda p, w: _loop(p, w, goes_on=True),
    "until": lambda p, w: _loop(p, w, goes_on=False),
    "for": _for,
}
