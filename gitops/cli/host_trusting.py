"""What `orch host trust` does: show host keys, ask, and write them where orch looks for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from executors.ssh_scan import Standing
from gitops import trusting
from gitops.cli.asking import approve
from gitops.cli.look import workspace
from gitops.cli.say import note, say, say_advice, say_error, say_json
from gitops.exit_codes import INCOMPLETE
from gitops.ssh_setup import connector_of
from gitops.trusting import Seen
from gitops.view import trust_text
from gitops.view.names import few
from gitops.workspace import Workspace
from inventory.model import Inventory
from planner.errors import OrchError

_NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusting:
    """What is wanted; `named` are the hosts that the pattern names one by one."""

    pattern: str
    replace: bool = False
    ask: bool = True
    verbose: bool = False
    json: bool = False

    @property
    def named(self) -> frozenset[str]:
        """The words of the pattern, of which those are hosts that are named as such."""
        return frozenset(self.pattern.replace(",", ":").split(":"))


async def trust(wanted: Trusting) -> int:
    """Show keys, and write those that are new; return 0, 1 or, where keys were not seen, 4."""
    ws = workspace()
    course = _Course(ws=ws, inventory=ws.inventory(wanted.pattern), wanted=wanted)
    try:
        await course.run()
    finally:
        if wanted.json:
            say_json(trust_text.data(course.found))
    files = sorted({s.written for s in course.found if s.written})
    note(trust_text.summary(course.found) + (f" (in {', '.join(files)})" if files else ""))
    _advise(course.found)
    return exit_code(course.found)


@dataclass(slots=True, kw_only=True)
class _Course:
    """Goes from the nearest logins to the farthest: a jump host is trusted before it is used."""

    ws: Workspace
    inventory: Inventory
    wanted: Trusting
    found: list[Seen] = field(default_factory=list[Seen])

    async def run(self) -> None:
        """Go on for as long as there are logins that have not been looked at."""
        depth, more = 1, True
        while more:
            # anew for each round: keys were written since the last one
            connector = connector_of(self.ws, self.inventory)
            try:
                ways, lost = trusting.routes(connector, self.inventory.hosts)
                now = {hops: names for hops, names in ways.items() if len(hops) == depth}
                seen = await trusting.seen(connector, now)
            finally:
                await connector.close()
            await self._settle(seen if depth > 1 else [*lost, *seen])
            depth += 1
            more = any(len(hops) >= depth for hops in ways)

    async def _settle(self, seen: Sequence[Seen]) -> None:
        """Show keys, ask, and write those that may be written."""
        if not self.wanted.json and seen:
            say(trust_text.keys(seen, verbose=self.wanted.verbose))
        may = [
            s for s in seen if trusting.writable(s, self.wanted.named, replace=self.wanted.replace)
        ]
        before = len(self.found)
        self.found += seen
        if not may or (self.wanted.json and self.wanted.ask):
            return  # who reads JSON is not asked
        if self.wanted.ask:
            await approve(_question(may))
        written = {s.hops: _written(s) for s in may}
        self.found[before:] = [replace(s, written=written.get(s.hops, "")) for s in seen]


def _written(seen: Seen) -> str:
    """Write a key, and return the file; one that can't be written keeps no other one from it."""
    try:
        return trusting.write(seen)
    except OrchError as e:
        say_error(e.message, e.hint)
        return ""


def _question(may: Sequence[Seen]) -> str:
    files = few(sorted({s.hops[-1].known.files[0] for s in may if s.hops[-1].known.files}), _NAMED)
    count = len(may)
    return (
        "Are these the fingerprints that the hosts' owners know? "
        f"Write {count} key{'s' if count != 1 else ''} to {files}?"
    )


def _advise(found: Collection[Seen]) -> None:
    """Say what to do about keys that were not written."""
    changed = [
        s.hops[-1].host
        for s in found
        if s.key is not None and s.key.standing is Standing.CHANGED and not s.written
    ]
    own = [s.hops[-1].host for s in found if s.in_inventory and s.hops[-1].host in changed]
    if own:
        say_advice(f"{few(own, _NAMED)}: orch_host_key in the inventory decides; correct it there.")
    if others := [h for h in changed if h not in own]:
        say_advice(
            f"{few(others, _NAMED)}: another key than before. Either the host was set up anew, or "
            "somebody stands between you and it: compare the fingerprint on its console. Only "
            f"then: orch host trust {others[0]} -replace"
        )
    for hint in dict.fromkeys(s.error.hint for s in found if s.error is not None and s.error.hint):
        say_advice(hint)


def exit_code(found: Collection[Seen]) -> int:
    """Return 1 where a key is not the one that is trusted, 4 where one was not seen, else 0."""
    bad = (Standing.CHANGED, Standing.REVOKED, Standing.NEW)
    if any(s.key is not None and s.key.standing in bad and not s.written for s in found):
        return 1
    return INCOMPLETE if any(s.error is not None for s in found) else 0
