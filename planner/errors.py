"""The root of every error orch reports: what is wrong, and what to do about it."""

from __future__ import annotations


class OrchError(Exception):
    """An error for the user. `hint` is the next step, and may be empty.

    `exit_code` follows the table of exit codes: 1 error, 3 conflict, 4 incomplete, 5 failed.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Say in words why a file can't be read or written, without its name."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text (byte {error.start})"
    return (error.strerror or str(error)).lower()


class ConflictError(OrchError):
    """Somebody else changed what the plan was made from; nothing was touched."""

    exit_code = 3
