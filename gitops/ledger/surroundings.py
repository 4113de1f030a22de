"""Clock, randomness, sleep and the user's name, gathered so that tests can give their own."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _nonce() -> str:
    return os.urandom(16).hex()


def _jitter() -> float:
    return int.from_bytes(os.urandom(4)) / 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the ledger takes from outside. `clock` is in seconds since the epoch."""

    user: str
    host: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    nonce: Callable[[], str] = _nonce
    # a number in 0..1, for pauses only
    jitter: Callable[[], float] = _jitter
    # makes what lets one thread at a time do something
    lock: Callable[[], AbstractContextManager[object]] = Lock

    @classmethod
    def real(cls) -> Surroundings:
        """Return those of this process."""
        return cls(user=_user(), host=os.uname().nodename)

    @property
    def who(self) -> str:
        """``user@host``."""
        return f"{self.user}@{self.host}"

    def tries(self, count: int) -> Iterator[int]:
        """Yield 0..count-1, pausing longer and longer, by chance, between them."""
        for n in range(count):
            if n:
                longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(n, 10))
                self.sleep(longest * self.jitter())
            yield n
