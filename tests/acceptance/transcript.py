"""Transcripts to hold a program to: commands with what they print, ids and times left open.

    $ orch status example      a command of the shop; `&` at its end leaves it running
    $ edit count = 1 => count = 3      a change of the job file, committed
    ID        Version          what it prints; how many blanks stand between columns is open
    {a1}      0                an id: the same wherever {a1} stands, also in commands; a full id and
                               its first eight digits are one
    ...                        any lines
    ! Error: …                 a line on stderr; without one, stderr is open
    [exit 1]                   its exit code, where that is not 0

{n1}, {index1} and {port1} are numbers that are kept in the same way; {time} {age} {size} {n} {id}
{ip} {commit} {date} {score} are anything of their kind. Lines with `#` in front are for the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_SHORT = r"[0-9a-f]{8}"
_REST = r"(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?"
_OPEN = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "age": r"(?:\d+[hms])+ ago",
    "size": r"[\d.]+ (?:B|[KMGT]iB)",
    "n": r"\d+",
    "id": _SHORT + _REST,
    "ip": r"\d+\.\d+\.\d+\.\d+",
    "commit": r"[0-9a-f]{40}",
    "date": r"\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}",
    "score": r"-?\d(?:\.\d+)?",
}
_HOLE = re.compile(r"\{([a-z]+\d*)\}")
_BLANKS = re.compile(r"(?<=\S) {2,}")


@dataclass(slots=True, kw_only=True)
class Step:
    """A command and what is expected of it."""

    command: str
    code: int = 0
    out: list[str] = field(default_factory=list[str])
    err: list[str] = field(default_factory=list[str])


def steps(text: str) -> Iterator[Step]:
    """Read a transcript."""
    step: Step | None = None
    for line in text.splitlines():
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(command=line[2:])
        elif step and not line.startswith("# "):
            _add(step, line)
    if step:
        yield step


def _add(step: Step, line: str) -> None:
    if code := re.fullmatch(r"\[exit (\d+)\]", line):
        step.code = int(code[1])
    elif line.startswith("! "):
        step.err.append(line[2:])
    else:
        step.out.append(line)


@dataclass(slots=True)
class Ids:
    """What holes of a transcript have turned out to be."""

    found: dict[str, str] = field(default_factory=dict[str, str])

    def filled(self, text: str) -> str:
        """Put what is known into a command."""
        return _HOLE.sub(lambda m: self.found[m[1]], text)

    def compare(self, expected: Sequence[str], printed: str) -> None:
        """Raise `AssertionError` where what was printed is not what was expected."""
        lines = "".join(f"{even(x)}\n" for x in printed.rstrip("\n").split("\n"))
        wanted = "\n".join(map(even, expected)).rstrip("\n").split("\n")
        match = self._pattern(wanted).fullmatch(lines)
        if match is None:
            # Told by the first line that is missing, or by all that is too much.
            good = next(n for n in range(len(wanted), -1, -1) if self._match(wanted[:n], lines))
            what = f"no {wanted[good]!r}" if good < len(wanted) else "too much"
            raise AssertionError(f"{what} in\n{printed}")
        self.found |= match.groupdict()

    def _match(self, wanted: Sequence[str], lines: str) -> bool:
        return self._pattern(wanted).match(lines) is not None

    def _pattern(self, wanted: Sequence[str]) -> re.Pattern[str]:
        seen = set[str]()
        return re.compile("".join(self._line(want, seen) for want in wanted))

    def _line(self, want: str, seen: set[str]) -> str:
        if want == "...":
            return r"(?:.*\n)*?"
        parts = _HOLE.split(want)
        holes = [self._hole(name, seen) for name in parts[1::2]]
        texts = map(re.escape, parts[::2])
        return "".join(t + h for t, h in zip(texts, [*holes, r"\n"], strict=True))

    def _hole(self, name: str, seen: set[str]) -> str:
        if name in _OPEN:
            return f"(?:{_OPEN[name]})"
        number = name.startswith(("index", "port"))
        rest = r"(?!\d)" if number else _REST
        if name in self.found:
            return self.found[name] + rest
        if name in seen:
            return f"(?P={name}){rest}"
        seen.add(name)
        return f"(?P<{name}>{r'[0-9]+' if number else _SHORT}){rest}"


def even(line: str) -> str:
    """A line with two blanks between columns, however wide they are."""
    return _BLANKS.sub("  ", line.rstrip())
