"""Makes the same text of every telling: ids, times, ports and paths by rule. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_AGO = re.compile(r"(?:\d+[a-z]+)+ ago *(?=\S|$)", re.MULTILINE)
_DIRECTORY = re.compile(r"/\S*/orch-demo-[^/\s]+")
_ID = re.compile(r"\b(?:[0-9a-f]{40}|[0-9a-f]{12}|[0-9a-f]{8})\b")
_WHOLE_ID = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}(-[0-9a-f]{12})\b")
_TOOK = re.compile(r"(?<=done after )\d+ s")
_CLUSTER = re.compile(r"\b(hello|shop)-[0-9a-f]{4}\b")
_KEY = re.compile(r"(?<=SHA256:)[A-Za-z0-9+/]{43}|(?<= )AAAA[A-Za-z0-9+/]{60,}")
_PORT = re.compile(r"(?<=http=)\d{5}|(?<=from port )\d{5}")
_PROBING = re.compile(r"^(?:remote: )?Observed \d+ of \d+ hosts… *\n", re.MULTILINE)
_DEPLOYMENT = re.compile(
    r"\n[-\d]{10}T[:\d]{8}Z\nID .*\nJob ID .*\n(?:\S.*\n)*\nDeployed\n(?:\S.*\n)*"
)
_MOVES = re.compile(r"(?:^    \S+: Allocation .*\n){2,}", re.MULTILINE)
_MOVE = re.compile(r'Allocation "(\w+)" (\w+)')
_VERBS = ("stopped", "created", "modified", "unhealthy")


def normal(text: str, ids: dict[str, str] | None = None) -> str:
    """Return a told story in the form that is the same each time.

    `ids` is filled with what each id becomes.

    How often a deployment is looked at while it goes on depends on the machine: only the last of
    its looks stays. What one wave did at the same time is put in one order. Ids and ports become
    others, the same ones in the same places.
    """
    text = _PROBING.sub("", text)
    text = _last_looks(_waves_in_order(text))
    text = _DIRECTORY.sub("/home/you", text)
    text = _AGO.sub("1s ago   ", text)
    text = _TIME.sub("2026-01-02T03:04:05Z", text)
    text = _TOOK.sub("2 s", text)
    text = _KEY.sub(_numbered(_base64, {}), text)
    text = _CLUSTER.sub(r"\1-1a2b", text)
    text = _WHOLE_ID.sub(r"\1-5e6f-4a7b-8c9d\2", text)
    text = _ID.sub(_numbered(_digits, {} if ids is None else ids), text)
    text = _PORT.sub(_numbered(lambda n, _: str(20000 + 1234 * (n + 1)), {}), text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _waves_in_order(text: str) -> str:
    for wave in _MOVES.finditer(text):
        text = text[: wave.start()] + _in_order(text, wave) + text[wave.end() :]
    return text


def _in_order(text: str, wave: re.Match[str]) -> str:
    """Sort by what was done, then as the ids come before the wave, else as they come after it."""

    def place(line: str) -> tuple[int, int]:
        move = _MOVE.search(line)
        if move is None:
            raise ValueError(line)
        places = (text.find(move[1], 0, wave.start()), text.find(move[1], wave.end()))
        known = [p for p in places if p >= 0]
        return _VERBS.index(move[2]), known[0] if known else len(text)

    return "".join(sorted(wave[0].splitlines(keepends=True), key=place))


def _last_looks(text: str) -> str:
    commands = re.split(r"^(?=\$ )", text, flags=re.MULTILINE)
    return "".join(_last_look(c) for c in commands)


def _last_look(output: str) -> str:
    looks = list(_DEPLOYMENT.finditer(output))
    for look in reversed(looks[:-1]):
        output = output[: look.start()] + output[look.end() :]
    return output


def _digits(number: int, found: str) -> str:
    return sha256(f"id {number}".encode()).hexdigest()[: len(found)]


def _base64(number: int, found: str) -> str:
    made = b64encode(sha256(f"key {number}".encode()).digest() * 2).decode()
    # Neither in what is made nor beside it is there anything that looks like an id.
    made = re.sub("[+/0-9]", "x", made)
    return f"{'AAAA' * (len(found) > 43)}{made}"[: len(found)]


def _numbered(
    name: Callable[[int, str], str], known: dict[str, str]
) -> Callable[[re.Match[str]], str]:
    """Give each distinct text the next number, and put what `name` makes of it in its place."""

    def replacement(match: re.Match[str]) -> str:
        found = match[0]
        if found not in known:
            known[found] = name(len(known), found)
        return known[found]

    return replacement
