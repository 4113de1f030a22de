"""The whole program: commands, flags with one dash or two, errors and exit codes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import cast

import typer

from gitops.cli.commands import root
from gitops.cli.help_text import one_dash
from gitops.cli.say import begin, say, say_error, say_interrupted, silence
from gitops.exit_codes import INTERRUPTED
from inventory.errors import InventoryError, PatternError
from planner.errors import OrchError

# Nomad's and Terraform's style: -check-index 3, -json; made into the two dashes that click knows.
_LONG_FLAG = re.compile(r"^-[a-zA-Z][a-zA-Z]+[a-zA-Z0-9-]*(=.*)?$", re.DOTALL)
# Commands that are followed by another one, and their switches in Nomad's style.
_EXECS = (("exec",), ("alloc", "exec"), ("hosts", "exec"))
_VALUED = ("task", "timeout", "parallelism", "e")
_SWITCHES = {"-i=true": "-i", "-i=false": "--no-stdin", "-t=true": "-t", "-t=false": "--no-tty"}
_FMT_SWITCHES = {
    f"-{name}={word}": f"--{no}{name}"
    for name in ("check", "list", "write", "recursive")
    for word, no in (("true", ""), ("false", "no-"))
}

_PLAIN = (
    (re.compile(r"(?<=: )Value error, "), ""),
    (re.compile(r" \(Possible options: [^)]*\)$"), ""),
    (re.compile(r"(?<=: )Input should be a valid integer.*"), "a whole number is required"),
    (re.compile(r"(?<=: )Input should be a valid number.*"), "a number is required"),
)


def two_dashes(argv: Sequence[str]) -> list[str]:
    """Write long flags with two dashes; a command to run, and words after ``--``, stay as is."""
    end = _end_of_flags(argv)
    flags = [_SWITCHES.get(w, w) for w in argv[:end]] if end < len(argv) else argv[:end]
    if argv[:1] == ["fmt"]:
        flags = [_FMT_SWITCHES.get(w, w) for w in flags]
    return [*(f"-{w}" if _LONG_FLAG.match(w) else w for w in flags), *argv[end:]]


def _end_of_flags(argv: Sequence[str]) -> int:
    words = list(argv)
    start = next((len(p) for p in _EXECS if tuple(words[: len(p)]) == p), 0)
    if not start:
        return words.index("--") if "--" in words else len(words)
    takes_value = False
    for i, word in enumerate(words[start:], start):
        if not takes_value and (word == "--" or not word.startswith("-")):
            return i
        takes_value = word.lstrip("-") in _VALUED
    return len(words)


def run(argv: Sequence[str]) -> int:
    """Run one command; return its exit code. Errors are told on stderr, never as a traceback."""
    command = root()
    begin()
    try:
        with command.make_context("orch", two_dashes(argv)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as e:
        return e.exit_code
    except _UsageError as e:
        return _usage(e, argv)
    except tuple(_ENDS) as e:
        return next(end for kind, end in _ENDS.items() if isinstance(e, kind))(e)
    return 0


def _usage(error: BaseException, argv: Sequence[str]) -> int:
    wrong = cast("typer.BadParameter", error)  # they all show themselves alike
    # A bare `orch` is a request for help, not a mistake.
    if type(error).__name__ == "NoArgsIsHelpError":
        say(wrong.format_message())
        return 0
    flag = one_dash(getattr(error, "option_name", ""))
    if _is_unknown_flag(error) and (why := _nomads(flag)):
        say_error(f"{flag} is Nomad's: {why}")
        return 1
    command = wrong.ctx.command_path if wrong.ctx else _command(argv)
    hints = (_near(wrong), f"See '{command} -help'.")
    say_error(_plainly(one_dash(wrong.format_message())), " ".join(h for h in hints if h))
    return 1


def _command(argv: Sequence[str]) -> str:
    """Return the command that was typed; who parses flags does not know whose they are."""
    from gitops.cli.words import every_word

    known = set(every_word())
    typed = (" ".join(argv[:n]) for n in (3, 2, 1))
    return " ".join(["orch", *(t for t in typed if t in known)][:2])


def _plainly(message: str) -> str:
    """Leave out what a library says of itself, and the names that a hint has again."""
    for words, ours in _PLAIN:
        message = words.sub(ours, message)
    return message


def _is_unknown_flag(error: BaseException) -> bool:
    return type(error).__name__ == "NoSuchOption"


def _nomads(flag: str) -> str:
    """Return what to do about a flag of Nomad's, or nothing where it is none."""
    from gitops.cli.nomad_words import FLAGS

    return FLAGS.get(flag, "")


def _near(error: typer.BadParameter) -> str:
    """Name the flag that was probably meant."""
    meant = getattr(error, "option_name", "")
    if not _is_unknown_flag(error) or error.ctx is None:
        return ""
    from gitops.diagnostics import did_you_mean

    known = {flag for param in error.ctx.command.params for flag in param.opts}
    return one_dash(did_you_mean(meant, known)).replace('"', "'")


def _interrupted(_: BaseException) -> int:
    say_interrupted()
    return INTERRUPTED


def _told(error: BaseException) -> int:
    message = getattr(error, "message", "") or str(error)
    say_error(message, getattr(error, "hint", ""))
    return int(getattr(error, "exit_code", 1))


def _hung_up(_: BaseException) -> int:
    # The reader of our output has left, as `head` does: not an error.
    silence(sys.stdout)
    return 0


# Found through typer: its newer versions bring a click of their own, which is not `click`.
_UsageError: type[BaseException] = typer.BadParameter.__base__ or typer.BadParameter

_ENDS: dict[type[BaseException], Callable[[BaseException], int]] = {
    typer.Abort: _interrupted,
    KeyboardInterrupt: _interrupted,
    OrchError: _told,
    InventoryError: _told,
    PatternError: _told,
    BrokenPipeError: _hung_up,
}
