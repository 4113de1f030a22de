"""Patterns of ssh_config: ``*`` and ``?``, with ``!`` for what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def is_plain(word: str) -> bool:
    """Whether a word of a Host line is a name rather than a pattern."""
    return not any(c in word for c in "*?!")


def matches_words(name: str, words: Iterable[str]) -> bool:
    """Whether a Host line with these words means a name; a word with ``!`` takes it out again."""
    found = False
    for word in words:
        if word.startswith("!"):
            if _matches(name, word[1:]):
                return False
        elif not found:
            found = _matches(name, word)
    return found


def matches_list(text: str, patterns: str) -> bool:
    """Whether a value is in a list of patterns with commas, as Match takes it."""
    return matches_words(text, patterns.split(","))


def _matches(name: str, pattern: str) -> bool:
    return name == pattern if is_plain(pattern) else _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(expression(pattern), re.DOTALL)


def expression(pattern: str) -> str:
    """Return a pattern as a regular expression."""
    # runs of stars say no more than one, and would make the search slow
    parts = re.split(r"(\*+|\?)", pattern)
    special = {"*": ".*", "?": "."}
    return "".join(special.get(p[:1], re.escape(p)) for p in parts)
