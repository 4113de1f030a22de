"""What an apply touches and asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from executors.blocking import Blocking, in_thread
from executors.boundary import Passing, pass_by
from executors.clock import Clock
from executors.fleet import Fleet
from gitops.ledger.protocol import Ledger
from planner.events import Event
from planner.job import Job
from planner.update_order import UpdateOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything an apply touches or asks: the real things, or simulated ones."""

    ledger: Ledger
    fleet: Fleet
    clock: Clock
    ids: Callable[[], str]
    tell: Callable[[Event], None]
    at: Passing = pass_by
    blocking: Blocking = in_thread
    # whether the sensitive values of a spec are at hand
    can_open: Callable[[Job], bool] = lambda _: True
    stopping: Callable[[], bool] = lambda: False
    # how many jobs, and how many steps on hosts, at a time; 0: all
    parallelism: int = 0
    order: UpdateOrder = UpdateOrder.STOP_FIRST
