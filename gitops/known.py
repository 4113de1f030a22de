"""What commands have seen of a workspace last: ids and hosts, kept so that a shell can offer them.

Nothing is decided by it: it lies in the cache, may be old, and may vanish. Neither writing nor
reading ever fails.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from gitops.ledger.protocol import Snapshot
    from inventory.model import Inventory
    from planner.recorded import JobState

# Of each kind, the newest.
_MOST = 5000

# An id, and what to say of it.
Row = tuple[str, str]


class Known:
    """Two small files for the workspace of a root folder, in a folder of caches."""

    def __init__(self, root: Path, cache: Path) -> None:
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
        self._base = cache / "known" / name

    def note_records(self, snapshot: Snapshot) -> None:
        """Keep the ids of what is recorded, unless they are those that are kept already."""
        if snapshot.head:
            self._write("ids", snapshot.head, lambda: _ids(snapshot))

    def note_hosts(self, inventory: Inventory) -> None:
        """Keep the names of hosts and groups, unless they are those that are kept already."""
        hosts = [(h.name, ", ".join(h.groups[:3])) for h in inventory.hosts.values()]
        groups = [(name, "group") for name in sorted(inventory.groups)]
        digest = hashlib.sha256(repr((hosts, groups)).encode()).hexdigest()
        self._write("hosts", digest, lambda: {"host": hosts[:_MOST], "group": groups[:_MOST]})

    def rows(self) -> dict[str, list[Row]]:
        """Return what is kept, by kind: ids or names, each with a few words about it."""
        found: dict[str, list[Row]] = {}
        for part in ("ids", "hosts"):
            with suppress(OSError, ValueError, TypeError, AttributeError):
                kept = json.loads(self._path(part).read_text(encoding="utf-8").partition("\n")[2])
                for kind, rows in cast("dict[str, list[list[Any]]]", kept).items():
                    found[kind] = [(str(name), str(about)) for name, about in rows]
        return found

    def _path(self, part: str) -> Path:
        return self._base.with_suffix(f".{part}.json")

    def _write(
        self, part: str, state: str, rows: Callable[[], Mapping[str, Sequence[Row]]]
    ) -> None:
        path = self._path(part)
        with suppress(OSError):
            if _first_line(path) == state:
                return
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = path.with_suffix(f".{os.getpid()}.new")
            new.write_text(f"{state}\n{json.dumps(rows())}", encoding="utf-8")
            new.replace(path)


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as f:
            return f.readline(200).rstrip("\n")
    except (OSError, ValueError):
        return ""


def _ids(snapshot: Snapshot) -> Mapping[str, list[Row]]:
    recorded = snapshot.folded()
    states = [s for _, s in sorted(recorded.jobs.items()) if s.current or s.allocs]
    allocs = [(a.created, a.id, f"{a.name} {a.client}") for s in states for a in s.allocs]
    deployments = [(d.created, d.id, f"{s.key} {d.status}") for s in states for d in s.deployments]
    evals = [(e.created, e.id, f"{s.key} {e.triggered_by}") for s in states for e in s.evaluations]
    return {
        "job": [(s.key, s.current.job.type if s.current else "") for s in states][:_MOST],
        "alloc": _newest(allocs),
        "deployment": _newest(deployments),
        "eval": _newest(evals),
        "node": [(n.name, n.id[:8]) for n in recorded.nodes.values()][:_MOST],
        "service": sorted({(n, s.key) for s in states for n in _services(s)})[:_MOST],
    }


def _services(state: JobState) -> Iterable[str]:
    groups = state.current.job.task_groups if state.current else ()
    return [
        s.name for g in groups for s in (*g.services, *(s for t in g.tasks for s in t.services))
    ]


def _newest(rows: Iterable[tuple[int, str, str]]) -> list[Row]:
    return [(name, about) for _, name, about in sorted(rows, reverse=True)[:_MOST]]
