"""What the keys of a driver's `config` may be: kinds, what is required, the nearest name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeAlias, cast

Config: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key's value must be, in words, and the test for it."""

    words: str
    fits: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class KeyProblem:
    """What is wrong with a config, and at which of its keys; at none where one is missing."""

    path: tuple[str | int, ...]
    text: str


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or value in ("true", "false")


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return value.lstrip("-").isdigit() or "${" in value
    return isinstance(value, int | float) and value == int(value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_words(value: object) -> bool:
    return _is_list(value) and all(map(_is_scalar, cast("Sequence[object]", value)))


def _is_map(value: object) -> bool:
    return _is_tables(value) and all(_is_scalar(v) for t in tables(value) for v in t.values())


def _is_tables(value: object) -> bool:
    return all(isinstance(t, Mapping) for t in several(value))


def several(value: object) -> Sequence[object]:
    """Return a list as it is, and anything else as a list of one."""
    return cast("Sequence[object]", value) if _is_list(value) else (value,)


TEXT = Kind("a string", _is_text)
FLAG = Kind("true or false", _is_flag)
NUMBER = Kind("a whole number", _is_number)
WORDS = Kind("a list of strings", _is_words)
WORD_OR_WORDS = Kind("a list of strings", lambda v: _is_text(v) or _is_words(v))
MAP = Kind("a map of strings", _is_map)
TABLES = Kind("a block", _is_tables)


def _no_more(_: Config) -> Iterator[KeyProblem]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of a driver: those it takes, needs and refuses, those of blocks in it by their name.

    `same` are other names of blocks; `rule` says what kinds and names can't.
    """

    known: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    inner: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict[str, Mapping[str, Kind]])
    same: Mapping[str, str] = field(default_factory=dict[str, str])
    rule: Callable[[Config], Iterator[KeyProblem]] = _no_more


def key_problems(keys: Keys, config: Config) -> Iterator[KeyProblem]:
    """Yield what is wrong with a config, one sentence each."""
    for name in keys.required:
        if not config.get(name):
            yield KeyProblem((), f'the argument "{name}" is required')
    yield from _problems(keys, config, keys.known, ())
    yield from keys.rule(config)


def _problems(
    keys: Keys, config: Config, known: Mapping[str, Kind], path: tuple[str | int, ...]
) -> Iterator[KeyProblem]:
    where = f' in "{path[-1]}"' if path else ""
    for key, value in config.items():
        kind, here = known.get(key), (*path, key)
        if kind is None:
            yield KeyProblem(here, _unknown(keys, key, known, where))
        elif value is not None and not kind.fits(value):
            yield KeyProblem(here, f'the argument "{key}"{where} is {kind.words}')
        elif kind is TABLES and (inner := keys.inner.get(keys.same.get(key, key))):
            for table in tables(value):
                yield from _problems(keys, table, inner, here)


def _unknown(keys: Keys, key: str, known: Mapping[str, Kind], where: str) -> str:
    if known is keys.known and key in keys.refused:
        return f'the argument "{key}" is not honoured: {keys.refused[key]}'
    return f'no argument is named "{key}"{where}; {near(key, list(known))}'.rstrip("; ")


def near(word: str, known: list[str]) -> str:
    """``did you mean "x"? ``, or nothing."""
    found = get_close_matches(word, known, n=1)
    return f'did you mean "{found[0]}"? ' if found else ""


def tables(value: object) -> tuple[Config, ...]:
    """A block, or several, as tables; nothing where it is absent."""
    if value is None:
        return ()
    return tuple(cast("Config", t) for t in several(value) if isinstance(t, Mapping))
