"""Host keys as they were shown, beside those that are trusted, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from executors.known_hosts import fingerprint
from executors.ssh_scan import Standing
from gitops.trusting import Seen
from gitops.view.names import few
from gitops.view.safe import clean

if TYPE_CHECKING:
    from gitops.view import fleet_shapes

_NAMED = 4
_UNSEEN = "not seen"


def keys(found: Iterable[Seen], *, verbose: bool) -> str:
    """Return the keys; those that are trusted already take a line."""
    blocks = [_block(s, verbose=verbose) for s in found]
    return "\n".join(line for block in blocks for line in block) + "\n"


def _block(seen: Seen, *, verbose: bool) -> list[str]:
    name = clean(seen.host if seen.hops else seen.names[0])
    if seen.error is not None:
        return [f"{name}: {_UNSEEN}", f"  {clean(_trouble(seen))}"]
    key = seen.key
    if key is None:
        return []
    title = f"{name}: {standing(seen)}"
    if not verbose and key.standing in (Standing.SAME, Standing.CERTIFIED):
        return [title]
    through = "".join(f", through {clean(h.name)}" for h in key.hops[-2:-1])
    behind = [n for n in seen.names if n not in (seen.host, key.hop.host)]
    lines = [title, f"  {clean(key.hop.where)}{through}"]
    if behind:
        lines.append(f"  the way to {few([clean(n) for n in behind], _NAMED)}")
    lines.append(f"  {key.kind} {fingerprint(key.line)}")
    if key.standing is Standing.CHANGED:
        for old in key.others:
            lines.append(f"  trusted by {clean(old.source)}:")
            lines.append(f"  {clean(old.line.split()[0])} {fingerprint(old.line)}")
    return lines


def standing(seen: Seen) -> str:
    """Return how a key compares, in a word or two."""
    if seen.key is None:
        return _UNSEEN
    return (
        "replaced"
        if seen.written and seen.key.standing is Standing.CHANGED
        else ("trusted" if seen.written else seen.key.standing)
    )


def _trouble(seen: Seen) -> str:
    error = seen.error
    if error is None:
        return ""
    return f"{error.fault}: {error.detail}" if error.detail else str(error.fault)


def summary(found: Sequence[Seen]) -> str:
    """Return one line: how many keys are how."""
    count: dict[str, int] = {}
    for seen in found:
        count[standing(seen)] = count.get(standing(seen), 0) + 1
    told = ", ".join(f"{n} {word}" for word, n in count.items()) or "no hosts in the inventory"
    return f"{len(found)} host key{'s' if len(found) != 1 else ''}: {told}"


def data(found: Iterable[Seen]) -> list[fleet_shapes.HostKey]:
    """Return the keys as JSON values."""
    return [_data(seen) for seen in found]


def _data(seen: Seen) -> fleet_shapes.HostKey:
    key, hop = seen.key, seen.hops[-1] if seen.hops else None
    return {
        "Host": clean(seen.host if seen.hops else seen.names[0]),
        "For": list(seen.names),
        "Address": hop.address if hop else "",
        "Port": hop.port if hop else 0,
        "Jumps": [h.name for h in seen.hops[:-1]],
        "State": str(key.standing).lower() if key else _UNSEEN,
        "Type": key.kind if key else "",
        "Fingerprint": fingerprint(key.line) if key else "",
        "Key": key.line if key else "",
        "Known": [
            {"Source": k.source, "Type": k.line.split()[0], "Fingerprint": fingerprint(k.line)}
            for k in (key.known if key else ())
        ],
        "Written": seen.written,
        "Error": _trouble(seen),
    }
