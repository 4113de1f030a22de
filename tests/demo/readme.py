"""The story's place in README.md: what it shows, in normal form, between two marks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.demo.normal import normal
from tests.demo.stage import play

README = Path(__file__).resolve().parents[2] / "README.md"
_PLAN = "orch plan"
_PART = re.compile(r"(<!-- demo:(\w+) -->\n```console\n).*?(```\n<!-- /demo -->)", re.DOTALL)


def told(out: Callable[[str], None]) -> str:
    """Play the story to `out`, and return it in normal form, without where to go next."""
    parts: list[str] = []

    def both(text: str) -> None:
        parts.append(text)
        out(text)

    play(both)
    return normal("".join(parts)).partition("\nWhere to go next")[0].strip() + "\n"


def with_story(readme: str, story: str) -> str:
    """Return the README with the story in its places: one plan above, the whole of it below."""
    texts = {"plan": third_plan(story), "story": story}
    return _PART.sub(lambda m: m[1] + texts[m[2]] + m[3], readme)


def third_plan(story: str) -> str:
    """Return the plan of the changed task: the one that shows most in the fewest lines."""
    commands = re.split(r"^(?=[$#] )", story, flags=re.MULTILINE)
    return [c for c in commands if c.startswith(f"$ {_PLAN}\n")][2].strip() + "\n"
