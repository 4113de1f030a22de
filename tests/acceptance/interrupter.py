"""An apply that sends itself a signal at a boundary: SIGNAL BOUNDARY COUNT FILE, in a clone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from executors.boundary import Boundary
from gitops.cli import flow
from gitops.cli.look import Approval, Look
from gitops.cli.say import say_error
from gitops.request import SpecRequest
from planner.errors import OrchError


class Interrupter:
    """Sends the signal when the boundary is passed for the `count`-th time."""

    def __init__(self, number: signal.Signals, boundary: Boundary, count: int) -> None:
        self._signal = number
        self._boundary = boundary
        self._left = count

    def __call__(self, boundary: Boundary) -> None:
        self._left -= boundary is self._boundary
        if self._left == 0:
            self._left = -1
            os.kill(os.getpid(), self._signal)


def main() -> int:
    """Return the exit code that the command would have had."""
    number, boundary, count, file = sys.argv[1:]
    at = Interrupter(signal.Signals[number], Boundary[boundary], int(count))
    request = SpecRequest(files=(file,))
    approval = Approval(auto_approve=True)
    try:
        return asyncio.run(flow.apply(request, approval, Look(), at))
    except OrchError as error:
        say_error(error.message, error.hint)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
