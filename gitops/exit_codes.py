"""How a command ends, beside 0 (done) and 1 (an error)."""

from __future__ import annotations

CHANGES, CONFLICT, INCOMPLETE, FAILED = 2, 3, 4, 5
# As a shell has it for a program that Ctrl-C has ended.
INTERRUPTED = 130


def first_of(*codes: int) -> int:
    """Return the code that stands for all of them: the first in their precedence."""
    order = (INTERRUPTED, 1, CONFLICT, FAILED, INCOMPLETE, CHANGES, 0)
    return min(codes, key=order.index)
