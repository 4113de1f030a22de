"""The pages of the docs that have commands, where their pictures are, and who can play them."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from tests.demo import lab_worlds
from tests.demo.page import world_of
from tests.demo.picture import svg
from tests.demo.play import Told, told
from tests.demo.worlds import WORLDS
from tests.lab.fleet import Lab

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FIRST = DOCS / "getting-started.md"
PICTURES = DOCS / "pictures"


def pages() -> list[Path]:
    """Return all pages that are played in some world."""
    return [p for p in sorted(DOCS.rglob("*.md")) if world_of(p.read_text())]


def playable() -> list[Path]:
    """Return those that need no hosts of the lab."""
    return [p for p in pages() if world_of(p.read_text()) in WORLDS]


def with_lab() -> list[Path]:
    """Return those that do."""
    return [p for p in pages() if p not in playable()]


def played(path: Path, out: Callable[[str], None], lab: Lab | None = None) -> Told:
    """Play a page to `out`; return it as it should be. A page that needs a lab makes one."""
    page = path.read_text()
    if world_of(page) in WORLDS:
        return told(page, out)
    if lab is not None:
        return told(page, out, lab_worlds.worlds(lab))
    with lab_worlds.lab_for(world_of(page)) as made:
        return told(page, out, lab_worlds.worlds(made))


def difference(path: Path, found: Told) -> str:
    """Return how a page differs from what it should be; nothing if it does not."""
    texts = {path: found.page, **pictures(found)}
    return "".join(
        line
        for file, wanted in texts.items()
        for line in unified_diff(
            file.read_text().splitlines(keepends=True), wanted.splitlines(keepends=True), str(file)
        )
    )


def pictures(found: Told) -> dict[Path, str]:
    """Return the pictures of a page, by path."""
    return {PICTURES / f"{name}.svg": svg(name, text) for name, text in found.pictures.items()}


def keep(path: Path, found: Told) -> None:
    """Write a page and its pictures as they should be."""
    path.write_text(found.page)
    for picture, text in pictures(found).items():
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(text)
