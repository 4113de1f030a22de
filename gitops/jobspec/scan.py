"""Prepares HCL text for the parser: strings, heredocs and comments are blanked out at equal length.

What the parser sees has the same offsets and only the syntax outside strings, so that quirks in
how it reads templates cannot matter. Reports unclosed strings and brackets. Parses no expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from gitops.jobspec.syntax import Fault, Source, Span

MAX_NESTING = 48
MAX_DOUBLED = 50
_CLOSING = {"{": "}", "(": ")", "[": "]"}
_CODE = re.compile(r"[\"#{}()\[\]]|//|/\*|<<(-?)([^\W\d][\w-]*)([ \t]*)\r?\n")
_QUOTED = re.compile(r"\\.|\"|\$\$\{|%%\{|\$\{|%\{|\n")
_INSIDE = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_NUMBER = re.compile(r"[A-Za-z_][\w-]*|(-?)(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")
_DOUBLED = re.compile(
    r"((?:^|[-=(\[{,:?&|<>+*/%!])[ \t]*)([-!])([ \t]*)([-!])([ \t]*)(?=[\w(\"\[{!-])"
)
_STAR = re.compile(r"\[\s+\*\s*\]|\[\*\s+\]")
_STEP_ON_NEXT_LINE = re.compile(r"\n\s*\.[A-Za-z_\d*]")
_BRACKET_OR_STEP = re.compile(r"[\[({})\]]|\n\s*(?=\.[A-Za-z_\d*])")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted string or heredoc: its whole range, and that of its content."""

    span: Span
    content: Span
    heredoc: bool = False
    indented: bool = False


@dataclass(frozen=True, slots=True)
class Scanned:
    """Blanked text (offset 0 is `start` of the source) and the literals by their start."""

    text: str
    start: int
    literals: dict[int, Literal]
    # Where something stands that "-" or "!" was put before twice; the parser takes one at most.
    doubled: dict[int, str] = field(default_factory=dict[int, str])


def scan(source: Source, span: Span | None = None, *, paired: bool = True) -> Scanned:
    """Blank out `span` of a source (all of it by default); raises `Fault`.

    Where brackets need not be `paired`, only strings, comments and heredocs are looked at.
    """
    region = span or Span(0, len(source.text))
    scanner = _Scanner(source.text, region.end, paired=paired)
    scanner.code(region.start, template=False)
    pieces: list[str] = []
    at = region.start
    for blank in scanner.blanks:
        pieces += [source.text[at : blank.span.start], blank.text]
        at = blank.span.end
    pieces.append(source.text[at : region.end])
    plain = _NOT_ASCII.sub(_ascii, "".join(pieces))
    plain = _NUMBER.sub(_apart, _STAR.sub(_star, plain))
    stray = plain.find("<<")
    if stray >= 0:
        stray_at = Span(region.start + stray, region.start + stray + 2)
        detail = 'Its marker follows at once, of letters, digits, "_" and "-", and ends the line.'
        raise Fault(stray_at, "Invalid heredoc", detail)
    if _STEP_ON_NEXT_LINE.search(plain):
        plain = _joined(plain)
    scanned = Scanned(plain, region.start, scanner.literals)
    return replace(scanned, text=_undoubled(plain, scanned)) if _DOUBLED.search(plain) else scanned


def _undoubled(text: str, scanned: Scanned) -> str:
    """Blank out each pair of signs and note what it stands before."""
    while match := _DOUBLED.search(text):
        if len(scanned.doubled) > MAX_DOUBLED:
            at = scanned.start + match.start(2)
            raise Fault(Span(at, at + 1), "Too many signs", f"At most {MAX_DOUBLED} are doubled.")
        _, one, _, two, behind = match.groups()
        pairs = scanned.doubled.pop(scanned.start + match.end(), "")
        scanned.doubled[scanned.start + match.end()] = one + two + pairs
        text = f"{text[: match.start(2)]} {match[3]} {behind}{text[match.end() :]}"
    return text


def _star(match: re.Match[str]) -> str:
    """Write a splat without blanks in it; they are put behind it."""
    return "[*]" + re.sub(r"[^\n]", " ", match.group()[3:])


def _joined(text: str) -> str:
    """Blank out line ends before a step: in brackets, but not in braces, they mean nothing."""
    opened: list[str] = []
    out = list(text)
    for match in _BRACKET_OR_STEP.finditer(text):
        sign = match.group()
        if sign in _CLOSING:
            opened.append(sign)
        elif sign in "})]":
            opened = opened[:-1]
        elif opened and opened[-1] != "{":
            out[match.start() : match.end()] = " " * (match.end() - match.start())
    return "".join(out)


def interpolation_end(text: str, start: int, end: int) -> int:
    """Return the offset after the brace that closes the template sequence opened before `start`."""
    return _Scanner(text, end).code(start, template=True)


def _apart(match: re.Match[str]) -> str:
    """Make a number behind a minus look like a name: `5-12` is no 5 followed by -12."""
    minus, digits = match.groups()
    return f"{minus}n{'_' * (len(digits) - 1)}" if minus else match.group()


def _ascii(match: re.Match[str]) -> str:
    if match.group() == "\ufeff" and match.start() == 0:
        return " "
    return "x" if ("x" + match.group()).isidentifier() else match.group()


@dataclass(frozen=True, slots=True)
class _Blank:
    span: Span
    text: str


@dataclass(slots=True)
class _Scanner:
    text: str
    end: int
    literals: dict[int, Literal] = field(default_factory=dict[int, Literal])
    blanks: list[_Blank] = field(default_factory=list[_Blank])
    depth: int = 0
    paired: bool = True

    def code(self, pos: int, *, template: bool) -> int:
        """Walk code; in a template up to its closing brace, else to the end."""
        opened: list[tuple[str, int]] = []
        while match := _CODE.search(self.text, pos, self.end):
            sign, at = match.group(), match.start()
            if sign in "})]":
                if template and not opened and sign == "}":
                    return match.end()
                self._close(sign, at, opened)
                pos = match.end()
            elif sign in _CLOSING:
                opened.append((sign, at))
                self._check_depth(at, len(opened))
                pos = match.end()
            else:
                pos = self._skip(match, outer=not template)
        if opened and (self.paired or template):
            raise _unclosed(*opened[-1])
        if template:
            raise Fault(Span(pos - 2, pos), "Unclosed interpolation", 'Close it with "}".')
        return self.end

    def _close(self, sign: str, at: int, opened: list[tuple[str, int]]) -> None:
        if not self.paired:
            del opened[-1:]
            return
        if not opened:
            raise Fault(Span(at, at + 1), f'"{sign}" closes nothing', "Remove it.")
        last, start = opened.pop()
        if _CLOSING[last] != sign:
            raise _unclosed(last, start)

    def _check_depth(self, at: int, opened: int) -> None:
        if self.depth + opened > MAX_NESTING:
            raise Fault(
                Span(at, at + 1),
                "Nested too deeply",
                f"At most {MAX_NESTING} levels of brackets and templates are read.",
            )

    def _skip(self, match: re.Match[str], *, outer: bool) -> int:
        sign, at = match.group(), match.start()
        if sign == '"':
            literal = self._quoted(at)
        elif sign.startswith("<<"):
            literal = self._heredoc(match)
        else:
            return self._comment(sign, at, outer=outer)
        if outer:
            self.literals[at] = literal
            blank = f'"{"_" * (literal.span.end - at - 2)}"'
            self.blanks.append(_Blank(literal.span, blank))
        return literal.span.end

    def _comment(self, sign: str, at: int, *, outer: bool) -> int:
        close = "*/" if sign == "/*" else "\n"
        found = self.text.find(close, at + 2 if sign == "/*" else at, self.end)
        if found < 0 and sign == "/*":
            raise Fault(Span(at, at + 2), "Unclosed comment", 'Close it with "*/".')
        end = self.end if found < 0 else found + (2 if sign == "/*" else 0)
        if outer:
            self.blanks.append(_Blank(Span(at, end), " " * (end - at)))
        return end

    def _quoted(self, start: int) -> Literal:
        pos = start + 1
        while match := _QUOTED.search(self.text, pos, self.end):
            sign = match.group()
            if sign == '"':
                return Literal(Span(start, match.end()), Span(start + 1, match.start()))
            if sign == "\n":
                break
            pos = self._sequence(match) if sign in ("${", "%{") else match.end()
        raise Fault(
            Span(start, start + 1),
            "Unclosed string",
            'Close it with a quote on the same line; for a new line write "\\n" or a heredoc.',
        )

    def _sequence(self, match: re.Match[str]) -> int:
        self.depth += 1
        self._check_depth(match.start(), 0)
        end = self.code(match.end(), template=True)
        self.depth -= 1
        return end

    def _heredoc(self, match: re.Match[str]) -> Literal:
        indent, marker, blanks = match.groups()
        if blanks:
            at = Span(match.end(2), match.end(3))
            detail = "The heredoc's text begins on the next line; remove the blanks."
            raise Fault(at, "Blanks behind the marker of a heredoc", detail)
        closing = re.compile(rf"^[ \t]*{re.escape(marker)}(?=[ \t]*\r?\n)", re.MULTILINE)
        found = closing.search(self.text, match.end(), self.end)
        if found is None:
            raise Fault(
                Span(match.start(), match.end()),
                "Unclosed heredoc",
                f'No line after it consists of "{marker}" alone and ends with a newline.',
            )
        content = Span(match.end(), found.start())
        return Literal(
            Span(match.start(), found.end()), content, heredoc=True, indented=bool(indent)
        )


def _unclosed(sign: str, at: int) -> Fault:
    kind = {"{": "block or object", "[": "list", "(": "bracket"}[sign]
    return Fault(
        Span(at, at + 1), f"Unclosed {kind}", f'There is no matching "{_CLOSING[sign]}" for it.'
    )
