"""What tests ask of Markdown: headings and their anchors, links, code. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
_BLOCK = re.compile(r"^( {4}\S.*\n)", re.MULTILINE)


def prose(page: str) -> str:
    """Return the page without its fenced blocks."""
    return _FENCE.sub("", page)


def anchors(page: str) -> set[str]:
    """Return the anchors of all headings, as forges and the site make them."""
    found: dict[str, int] = {}
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        found[slug] = found.get(slug, 0) + 1
    return {s if not n else f"{s}-{n}" for s, count in found.items() for n in range(count)}


def links(page: str) -> Iterator[tuple[str, str]]:
    """Yield where links lead to within the repository: a path, or nothing, and an anchor."""
    for path, anchor in _LINK.findall(_CODE.sub("", prose(page))):
        if "://" not in path and not path.startswith("mailto:"):
            yield path, anchor


def indented(page: str) -> Iterator[str]:
    """Yield the lines of indented blocks."""
    yield from _BLOCK.findall(prose(page))


def code(page: str) -> Iterator[str]:
    """Yield all code: spans, and the lines of blocks."""
    for span in _CODE.findall(prose(page)):
        yield " ".join(span.split())
    for block in [*_FENCE.findall(page), *indented(page)]:
        yield from (line.strip().removeprefix("$ ") for line in block.splitlines())
