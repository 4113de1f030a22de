"""YAML events as text, line by line as the language writes it."""

from __future__ import annotations

import io
from collections.abc import Sequence

import yaml
from yaml.emitter import Emitter

_WIDTH = 80
_BREAKS = "\r\n\x85\u2028\u2029\ufeff"


class _Emitter(Emitter):
    """Folds long text at blanks alone, without the backslash that PyYAML puts there."""

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        self.write_indicator('"', True)
        after_blank = False
        for i, c in enumerate(text):
            if c == " " and self._folds(split and not after_blank, i, text):
                self.write_indent()
                self._put("\\" if text[i + 1] == " " else "")
            else:
                self._put(c if _is_shown(c) else self._escaped(c))
            after_blank = c == " "
        self.write_indicator('"', False)

    def _folds(self, allowed: bool, at: int, text: str) -> bool:
        return allowed and self.column > self.best_width and 0 < at < len(text) - 1

    def _put(self, data: str) -> None:
        self.column += len(data)
        self.stream.write(data)

    def _escaped(self, c: str) -> str:
        short = self.ESCAPE_REPLACEMENTS.get(c)
        if short is not None:
            return f"\\{short}"
        code = ord(c)
        if code < 0x100:  # noqa: PLR2004 - the width of the escape
            return f"\\x{code:02X}"
        return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"  # noqa: PLR2004


def _is_shown(c: str) -> bool:
    if c in '"\\' or c in _BREAKS:
        return False
    return " " <= c <= "~" or "\xa0" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd"


def emitted(events: Sequence[yaml.Event], *, plain: bool) -> str:
    """Return the text of one document; `plain` says that it is a word without quotes."""
    stream = io.StringIO()
    emitter = _Emitter(stream, allow_unicode=True, width=_WIDTH)
    begin = (yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False))
    for event in (*begin, *events, yaml.DocumentEndEvent(explicit=False)):
        emitter.emit(event)
    emitter.open_ended = emitter.open_ended and plain
    emitter.emit(yaml.StreamEndEvent())
    return stream.getvalue().removeprefix("--- ")
