"""`python -m tests.demo`: play the story; with `--write`, put what it shows into README.md."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

from tests.demo.readme import README, told, with_story
from tests.demo.stage import WrongTurnError, play


def main() -> int:
    """Return the exit status: 1 where a step came out otherwise, 130 where it was interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    try:
        if "--write" in sys.argv[1:]:
            README.write_text(with_story(README.read_text(), told(_print)))
        else:
            play(_print)
    except WrongTurnError as e:
        print(f"demo: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; all of it was removed", file=sys.stderr)
        return 130
    print(f"demo: done in {time.monotonic() - started:.0f} s; all of it was removed")
    return 0


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


sys.exit(main())
