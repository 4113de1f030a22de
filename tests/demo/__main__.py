"""`python -m tests.demo [PAGE]…`: play pages of the docs, or the first one; `--write` keeps it.

With `--write`, the pages are rewritten to show what came of their commands, and so are the
pictures of them. Without pages, those are all that can be played on this machine.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.demo import library
from tests.demo.play import WrongTurnError


def main() -> int:
    """Return the exit status: 1 where a step came out otherwise, 130 where it was interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    words = [Path(word).resolve() for word in sys.argv[1:] if word != "--write"]
    writes = "--write" in sys.argv[1:]
    try:
        same = _play(words or (library.playable() if writes else [library.FIRST]), writes=writes)
    except WrongTurnError as e:
        print(f"demo: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; all of it was removed", file=sys.stderr)
        return 130
    print(f"\ndemo: done in {time.monotonic() - started:.0f} s; all of it was removed")
    return 0 if same or writes else 1


def _play(pages: Sequence[Path], *, writes: bool) -> bool:
    same = True
    for path in pages:
        found = library.played(path, _print)
        if writes:
            library.keep(path, found)
        elif difference := library.difference(path, found):
            print(f"demo: {path.name} tells something else\n{difference}", file=sys.stderr)
            same = False
    return same


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
