"""The docs name what there is, no more and no less; their links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops.cli.commands import every_command
from gitops.cli.help_text import one_dash
from tests.demo.page import pieces, world_of
from tests.docs import markdown

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files_and_their_headings(page: Path) -> None:
    dead: list[str] = []
    for path, anchor in markdown.links(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in markdown.anchors(target.read_text())):
            dead.append(f"{path}#{anchor}")

    assert dead == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    queue = list(reached)
    while queue:
        page = queue.pop()
        for path, _ in markdown.links(page.read_text()):
            target = (page.parent / path).resolve()
            if path.endswith(".md") and target not in reached:
                reached.add(target)
                queue.append(target)

    assert set(PAGES) - reached == set()


def test_every_variable_of_the_environment_is_described() -> None:
    sources = [p.read_text() for p in ROOT.glob("*/**/*.py") if p.parts[len(ROOT.parts)] in OURS]
    used = {name for text in sources for name in re.findall(r"\bORCH_[A-Z_]*[A-Z]\b", text)}
    described = set(re.findall(r"\bORCH_[A-Z_]*[A-Z]\b", CONFIGURATION))

    # of GitLab's own variables, in the workflow that init writes
    assert used - {"ORCH_VAR", "ORCH_IMAGE"} == described - {"ORCH_VAR"}


_TYPED = re.compile(r"\s*(?:\$ |orch [a-z])")
OURS = ("gitops", "executors", "planner", "inventory")


def test_json_page_names_every_command_that_prints_json() -> None:
    page = (ROOT / "docs/json.md").read_text()
    with_json = {n for n, c in every_command() if any(p.name == "json" for p in c.params)}
    # The same commands by other names.
    with_json -= {f"job {n}" for n in with_json}

    assert [name for name in sorted(with_json) if f"`{name}" not in page] == []


# Pages whose indented lines are no commands to type, but what each command's line looks like.
_LINES = {"cli.md"}
# Blocks that are not run, each with its reason in the page.
_NOT_RUN = 1


def test_commands_to_type_are_run() -> None:
    unplayed: list[tuple[str, str]] = []
    for page in [p for p in PAGES if p.name not in _LINES]:
        text = page.read_text()
        parts = list(pieces(text))
        quiet = [p.text for p in parts] + [*markdown.indented(text)]
        typed = [line for part in quiet for line in part.splitlines() if _TYPED.match(line)]
        if not world_of(text):
            typed += [c.typed for p in parts for c in p.commands if not p.reason]
        unplayed += [(page.name, line) for line in typed]

    assert unplayed == []


def test_few_blocks_are_not_run_and_say_why() -> None:
    reasons = [p.reason for page in PAGES for p in pieces(page.read_text()) if p.reason]

    assert len(reasons) <= _NOT_RUN


def test_commands_and_flags_that_are_named_exist() -> None:
    commands = dict(every_command())
    pages = [p for p in PAGES if p.parent.name != "adr" and p.name != "CHANGELOG.md"]
    named = {(p.name, text) for p in pages for text in markdown.code(p.read_text())}
    found = [(page, text, *_read(text, commands)) for page, text in sorted(named)]
    assert len([1 for _, _, command, _ in found if command]) > 50

    assert [(page, text) for page, text, _, wrong in found if wrong] == []


def _read(text: str, commands: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the command that a piece of code names, if any, and what is wrong with it."""
    typed = re.match(r"(?:.*&& |[A-Z_]+=\S+ )?orch ([a-z]+(?: [a-z][a-z-]*){0,2})(.*)", text)
    if typed is None:
        return "", []
    words = typed[1].split()
    longest = (" ".join(words[:n]) for n in (3, 2, 1))
    name = next((n for n in longest if n in commands), words[0])
    if name not in commands:
        groups = {command.partition(" ")[0] for command in commands}
        bare = len(words) == 1 and name in groups
        return name, [] if bare or name == "version" else ["no such command"]
    known = {one_dash(n) for p in commands[name].params for n in [*p.opts, *p.secondary_opts]}
    rest = re.split(r" (?:--|&&|[|>#&]|[a-z]+$)", f"{typed[2]} ")[0]
    flags = re.findall(r"(?<=[ \[|])(-[a-z][a-z0-9-]*)", rest.replace("…", " "))
    return name, [f for f in flags if f not in {*known, "-h", "-help"}]


def test_architecture_stays_short() -> None:
    assert len((ROOT / "docs/architecture.md").read_text().splitlines()) <= 200
