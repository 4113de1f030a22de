"""docs/cli.md and the flags' variables, printed from the commands themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.cli.commands import every_command
from gitops.cli.help_text import one_dash
from gitops.cli.words import SECTIONS, Section, Word, named

_HEAD = """\
# Command line

Every command with its arguments and flags, printed from the program (`make golden`);
[commands.md](commands.md) tells what they do, [exit-codes.md](exit-codes.md) how they end. Long
flags may be written with one dash or two. A variable of the environment says the same as its flag,
and the flag wins; others are in [configuration.md](configuration.md#environment).
"""
_FLAGS = "| flag | default | variable | |\n|---|---|---|---|\n"


def printed(_: str) -> str:
    """Return the whole page, whatever it was."""
    commands = dict(every_command())
    return "\n".join(
        [_HEAD, *(part for section in SECTIONS for part in _section(section, commands))]
    )


def variables() -> dict[str, list[str]]:
    """Return each flag's variable, with the flags that it stands for."""
    found: dict[str, dict[str, None]] = {}
    for _, command in every_command():
        for option in _options(command):
            if option.envvar:
                found.setdefault(str(option.envvar), {})[_names(option)[-1]] = None
    return {name: list(flags) for name, flags in sorted(found.items())}


def _section(section: Section, commands: dict[str, Any]) -> Iterator[str]:
    yield f"## {section.title}\n"
    for name, word in named(section.words):
        if isinstance(word, Word):
            yield from _command(name, commands[name])


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer keeps the type
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = _options(command)
    typed = [f"orch {name}", *(["[FLAGS]"] if options else []), *map(_typed, arguments)]
    yield f"### orch {name}\n"
    yield f"    {' '.join(typed)}\n"
    yield from (f"{_text(' '.join(p.split()))}\n" for p in (command.help or "").split("\n\n"))
    explained = [f"- `{_typed(a)}`: {_text(a.help)}" for a in arguments if a.help]
    if explained:
        yield "\n".join(explained) + "\n"
    if options:
        yield _FLAGS + "".join(f"{_row(o)}\n" for o in options)


def _options(command: Any) -> list[Any]:  # noqa: ANN401
    return [p for p in command.params if p.param_type_name == "option" and not p.hidden]


def _names(option: Any) -> list[str]:  # noqa: ANN401
    return [one_dash(name) for name in sorted([*option.opts, *option.secondary_opts], key=len)]


def _row(option: Any) -> str:  # noqa: ANN401
    value = "" if option.is_flag else f" {_typed(option)}"
    names = ", ".join(f"`{name}{value}`" for name in _names(option))
    variable = f"`{option.envvar}`" if option.envvar else ""
    cells = [names, _default(option), variable, _text(option.help)]
    return " ".join(f"| {cell}".rstrip() for cell in (c.replace("|", "\\|") for c in cells)) + " |"


def _typed(param: Any) -> str:  # noqa: ANN401
    return str(param.metavar or param.name.upper())


def _default(option: Any) -> str:  # noqa: ANN401
    value = option.default
    if option.is_flag or not option.show_default or value in (None, "", 0, ()):
        return ""
    unit = "s" if _typed(option) == "DURATION" else ""
    return f"`{value:g}{unit}`" if isinstance(value, float) else f"`{value}`"


def _text(text: str | None) -> str:
    return one_dash(text or "").replace("<", "&lt;").replace("*", "\\*")
