"""Progress on stderr: probed hosts, and the monitor of an apply. Live on a terminal, else lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitops.cli.say import note
from gitops.view.monitor import Monitor
from planner.events import DeploymentUpdate, Event, Message
from planner.observed import NodeStatus

if TYPE_CHECKING:
    from rich.live import Live

# Seconds of silence after which a wait is worth a line.
_PATIENCE = 1.0


def probing(total: int) -> Callable[[str, NodeStatus], None]:
    """Return what is told of each probed host; speaks only if probing takes over a second."""
    started = time.monotonic()
    done = 0
    spoken = started

    def on_host(host: str, status: NodeStatus) -> None:
        nonlocal done, spoken
        del host, status
        # A second look at the same hosts counts from one again.
        done = done % total + 1
        now = time.monotonic()
        if now - spoken >= _PATIENCE:
            spoken = now
            note(f"Observed {done} of {total} hosts…")

    return on_host


class Progress:
    """The monitor of one apply. On a terminal the deployments stand below the lines and move."""

    def __init__(self, *, verbose: bool, live: bool) -> None:
        self._monitor = Monitor(verbose=verbose)
        self._wants_live = live
        self._live: Live | None = None
        self._blocks: dict[str, str] = {}
        self._told: set[tuple[object, ...]] = set()

    def __enter__(self) -> Self:
        if self._wants_live:
            from rich.console import Console
            from rich.live import Live

            console = Console(file=sys.stderr, highlight=False, markup=False)
            self._live = Live(console=console, refresh_per_second=4, transient=False)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, event: Event) -> None:
        """Show an event; a deployment that has not moved is not shown again."""
        if isinstance(event, DeploymentUpdate) and not self._is_news(event):
            return
        text = "\n".join(self._monitor.lines(event))
        if self._live is None:
            note(text)
        elif isinstance(event, DeploymentUpdate):
            self._blocks[event.job_id] = text
            self._live.update("\n".join(self._blocks.values()), refresh=True)
        else:
            self._live.console.print(text)

    def say(self, line: str) -> None:
        """Show a line about something that takes long on a host; not the same one again."""
        if (line,) not in self._told:
            self._told.add((line,))
            self.tell(Message(time=time.time_ns(), text=line))

    def _is_news(self, event: DeploymentUpdate) -> bool:
        d = event.deployment
        counts = tuple(
            (name, g.desired_total, g.placed, g.healthy, g.unhealthy)
            for name, g in sorted(d.groups.items())
        )
        seen = (d.id, d.status, counts)
        if seen in self._told:
            return False
        self._told.add(seen)
        return True
