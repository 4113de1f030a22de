"""Saved plans as files: written as a whole or not at all, told from job files by content."""

from __future__ import annotations

from pathlib import Path

from gitops.saved import LIMIT, SavedPlan, dumped, is_saved_plan, loaded
from planner.errors import OrchError


def write(plan: SavedPlan, path: Path) -> None:
    """Write the plan, readable by its owner only. Raises `OrchError` where that fails."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(dumped(plan), encoding="utf-8")
        new.chmod(0o600)
        new.replace(path)
    except OSError as e:
        raise OrchError(f"-out {path}: {e.strerror}", "Name a file that can be written.") from e


def read(path: Path, name: str) -> SavedPlan | None:
    """Read a file as a saved plan; None where it is something else, or not there."""
    try:
        with path.open("rb") as f:
            text = f.read(LIMIT).decode("utf-8", "replace")
    except OSError:
        return None
    return loaded(text, name) if is_saved_plan(text) else None
