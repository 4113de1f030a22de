"""Which of the old and the new allocation of a name comes first in an update. A value only."""

from __future__ import annotations

from enum import StrEnum


class UpdateOrder(StrEnum):
    """Which comes first in an update; `auto` is the new one, wherever that can be done."""

    AUTO = "auto"
    START_FIRST = "start-first"
    STOP_FIRST = "stop-first"
