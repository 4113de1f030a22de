"""How a command ends, beside 0 (done) and 1 (an error)."""

from __future__ import annotations

CHANGES, CONFLICT, INCOMPLETE, FAILED = 2, 3, 4, 5
# As a shell has it for a program that Ctrl-C has ended.
INTERRUPTED = 130
# The error of that end, and its hint.
WHAT_WAS_BEGUN = ("interrupted", "What was begun is recorded; run the same command to go on.")
