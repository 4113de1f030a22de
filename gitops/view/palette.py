"""The few terminal styles that views use. Without colour, every style is the text itself."""

from __future__ import annotations

from dataclasses import dataclass

from planner.action import Action

_CODES = {
    "bold": "1",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
    "light": "93",
}
_ACTIONS = {
    Action.CREATE: "green",
    Action.DESTROY: "red",
    Action.MIGRATE: "blue",
    Action.IN_PLACE: "cyan",
    Action.DESTRUCTIVE: "yellow",
    Action.CANARY: "light",
}
MARKS = {"+": "green", "-": "red", "+/-": "light"}


@dataclass(frozen=True, slots=True)
class Palette:
    """Paints text for a terminal, or leaves it alone where `enabled` is false."""

    enabled: bool = False

    def paint(self, style: str, text: str) -> str:
        """Return the text in one of the known styles; an empty style is plain."""
        if not self.enabled or not style or not text:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"

    def action(self, word: str, text: str) -> str:
        """Return the text in the colour of an action, given the action's word."""
        known = next((a for a in Action if a == word.removeprefix("forces ")), None)
        return self.paint(_ACTIONS.get(known, "") if known else "", text)


PLAIN = Palette()
