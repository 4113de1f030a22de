"""How long hosts have not answered, for whoever looks again and again. Counts watched time only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.disconnect import watched, with_silence
from planner.observed import Observed


@dataclass(slots=True, kw_only=True)
class Silence:
    """Remembers from look to look. What no job speaks of is lost after `grace` ns; 0: never.

    `monotonic` is in ns, and stands still where the machine sleeps: what nobody has watched does
    not count.
    """

    grace: int = 0
    monotonic: Callable[[], int] = time.monotonic_ns
    _since: dict[str, int] = field(default_factory=dict[str, int], init=False)

    def seen(self, observed: Observed, now: int) -> Observed:
        """Return what was observed, with how long hosts have been unknown; `now` in ns."""
        clock = self.monotonic()
        self._since = watched(self._since, observed, clock)
        since = {host: now - (clock - first) for host, first in self._since.items()}
        return with_silence(observed, since, self.grace)
