"""Hooks of mkdocs: pages that lie outside of docs/, and the links to them."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# Where files of the repository are in the site, beside docs/ itself.
PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "templates/gitlab-ci.yml": "gitlab-ci.yml",
}
_SOURCES = {place: source for source, place in PLACES.items()}
_LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside of docs/."""
    for source, place in PLACES.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links within the repository to where their files are in the site."""
    del config, files
    place = page.file.src_uri
    here = posixpath.dirname(_SOURCES.get(place, f"docs/{place}"))

    def led(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, match[2]))
        found = PLACES.get(target, target.removeprefix("docs/"))
        return match[1] + posixpath.relpath(found, posixpath.dirname(place) or ".") + match[3]

    return _LINK.sub(led, markdown)
