"""From words to commands: each is loaded and built when it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from gitops.cli import help_text
from gitops.cli.plain_values import plainly
from gitops.cli.words import SECTIONS, Section, Word, Words, named

_ABOUT = "Nomad-style plans and applies over SSH: job specs in Git, and no servers."
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": help_text.WIDTH}


class Command(TyperCommand):
    """A command whose help is written as flags are typed here."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer names these types in private
        """Return the parameters, of which most values are taken as they are."""
        return [plainly(p) for p in super().get_params(ctx)]

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401
        """Return the help text of the command."""
        return help_text.of_command(ctx.command_path, self)


class Group(TyperGroup):
    """A word that is followed by another one."""

    def __init__(self, name: str, summary: str, sections: Sequence[Section]) -> None:
        super().__init__(
            name=name,
            help=summary,
            no_args_is_help=True,
            rich_markup_mode=None,
            context_settings=dict(_SETTINGS),
        )
        self._summary = summary
        self._sections = sections
        self._words: Mapping[str, Word | Words] = {w.name: w for s in sections for w in s.words}

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401
        """Return the parameters: ``-help``."""
        return [plainly(p) for p in super().get_params(ctx)]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """Return the words that may follow."""
        return list(self._words)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Return the command behind a word, or None."""
        word = self._words.get(cmd_name)
        return built(word) if word else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Return the command that is meant, and what follows it; tell of words that are none."""
        if args[0] not in self._words and not args[0].startswith("-"):
            ctx.fail(self._no_such(f"{ctx.command_path} {args[0]}", args[0]))
        return super().resolve_command(ctx, args)

    def _no_such(self, typed: str, word: str) -> str:
        from gitops.cli.nomad_words import WORDS
        from gitops.diagnostics import did_you_mean

        more = WORDS.get(typed.partition(" ")[2]) or did_you_mean(word, self._words)
        return f"No such command {word!r}. {sentence(more)}".rstrip().replace('"', "'")

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401
        """Return the help text: the words with what each is for."""
        sections = [
            (s.title, [(w.name, summary(w)) for w in s.words if not w.hidden])
            for s in self._sections
        ]
        return help_text.of_group(ctx.command_path, self._summary, sections)


def root() -> Group:
    """Return the whole command line; nothing below it is loaded yet."""
    return Group("orch", _ABOUT, SECTIONS)


def every_command() -> Iterator[tuple[str, TyperCommand]]:
    """Yield all commands, built, with what is typed for each after ``orch``."""
    for section in SECTIONS:
        for name, word in named(section.words):
            if isinstance(word, Word):
                yield name, cast("TyperCommand", built(word))


def built(word: Word | Words) -> TyperCommand | TyperGroup:
    """Return what a word does."""
    if isinstance(word, Words):
        return Group(word.name, word.summary, (Section(title="Commands", words=word.words),))
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    # Whatever comes after the first word is a command with flags of its own.
    more = {"allow_interspersed_args": False} if word.follows else {}
    app.command(word.name, cls=Command, context_settings={**_SETTINGS, **more})(_function(word))
    return cast("TyperCommand", typer.main.get_command(app))


def summary(word: Word | Words) -> str:
    """Return what help says of a word in one line."""
    if isinstance(word, Words):
        return word.summary
    return (inspect.getdoc(_function(word)) or "").partition("\n")[0]


def sentence(text: str) -> str:
    """Write words that stand alone as a sentence."""
    return text if not text or text[-1] in ".?" else f"{text[0].upper()}{text[1:]}."


def _function(word: Word) -> Callable[..., None]:
    module, _, name = word.function.partition(":")
    found: Callable[..., None] = getattr(import_module(f"gitops.cli.{module}"), name)
    return found
