"""Lines of ssh_config, taken apart as OpenSSH takes them apart. Text in, words out."""

from __future__ import annotations

import re

_KEYWORD = re.compile(r'[ \t\r\f]*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^ \t\r\f="]+))')
_DELIMITER = re.compile(r"[ \t\r\f]*=?[ \t\r\f]*")
_CRITERION = re.compile(r'[ \t=]*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^ \t="]+))')
_SPACE = " \t\r\f"
_ESCAPED = "\"'\\"


class BadLineError(Exception):
    """A line with a quote that is not closed."""


def keyword(line: str) -> tuple[str, str]:
    """Return a line's keyword in lower case and the rest; two empty strings where it has none."""
    line = line.strip(_SPACE)
    found = _KEYWORD.match(line)
    if found is None or line.startswith("#"):
        return "", ""
    name = found["quoted"] if found["plain"] is None else found["plain"]
    rest = line[found.end() :]
    delimiter = _DELIMITER.match(rest)
    return name.lower(), rest[delimiter.end() :] if delimiter else rest


def words(text: str) -> tuple[str, ...]:
    """Split at blanks outside of quotes, up to a word that begins with ``#``.

    Raises `BadLineError` where a quote is not closed.
    """
    out: list[str] = []
    rest = text.lstrip(_SPACE)
    while rest and not rest.startswith("#"):
        word, rest = _word(rest)
        out.append(word)
        rest = rest.lstrip(_SPACE)
    return tuple(out)


def _word(text: str) -> tuple[str, str]:
    out: list[str] = []
    quote, at = "", 0
    while at < len(text) and (quote or text[at] not in _SPACE):
        char, after = text[at], text[at + 1 : at + 2]
        if char == "\\" and after and (after in _ESCAPED or (not quote and after == " ")):
            out.append(after)
            at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            out.append(char)
        at += 1
    if quote:
        raise BadLineError(f"a {quote} is not closed")
    return "".join(out), text[at:]


def criteria(text: str) -> tuple[str, ...]:
    """Split what stands behind ``Match``: at blanks, and at the = between a name and its value."""
    out: list[str] = []
    for found in _CRITERION.finditer(text.strip(_SPACE)):
        word = found["quoted"] if found["plain"] is None else found["plain"]
        if found["plain"] is not None and word.startswith("#"):
            break
        out.append(word)
    return tuple(out)
