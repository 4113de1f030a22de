"""The docs name what there is, no more and no less; their links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from gitops.cli.commands import every_command
from gitops.config import Config, LedgerConfig, ReconcileConfig, SchedulerConfig, SshConfig
from inventory import variables
from tests.docs import jobspec_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
_COMMAND = re.compile(r"^\$ (?:.* && )?(orch(?: node)? [a-z]+)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_to_files(page: Path) -> None:
    targets = [m[1] for m in _LINK.finditer(page.read_text()) if "://" not in m[1]]

    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    queue = list(reached)
    while queue:
        page = queue.pop()
        for link in _LINK.finditer(page.read_text()):
            target = (page.parent / link[1]).resolve()
            found = sorted(target.glob("*.md")) if target.is_dir() else [target]
            new = [p for p in found if p.suffix == ".md" and p.exists() and p not in reached]
            reached.update(new)
            queue += new

    assert set(PAGES) - reached == set()


def test_every_setting_is_described() -> None:
    sections: dict[str, type[BaseModel]] = {
        "ledger": LedgerConfig,
        "reconcile": ReconcileConfig,
        "scheduler": SchedulerConfig,
        "ssh": SshConfig,
    }
    names = [n for n in Config.model_fields if n not in sections]
    names += [f"{s}.{n}" for s, model in sections.items() for n in model.model_fields]
    described = re.findall(r"^\| `([a-z_.]+)` \|", CONFIGURATION.partition("## The inv")[0], re.M)

    assert sorted(described) == sorted(names)


def test_every_inventory_variable_is_described() -> None:
    rows = [name for others in variables.spellings().values() for name in others]

    assert [name for name in rows if f"`{name}`" not in CONFIGURATION] == []


def test_every_variable_of_the_environment_is_described() -> None:
    sources = [p.read_text() for p in ROOT.glob("*/**/*.py") if p.parts[len(ROOT.parts)] in OURS]
    used = {name for text in sources for name in re.findall(r"\bORCH_[A-Z_]*[A-Z]\b", text)}
    described = set(re.findall(r"\bORCH_[A-Z_]*[A-Z]\b", CONFIGURATION))

    assert used - {"ORCH_VAR"} == described - {"ORCH_VAR"}


OURS = ("gitops", "executors", "planner", "inventory")


def test_page_of_the_job_language_is_the_language() -> None:
    path = ROOT / "docs/jobspec.md"
    if os.environ.get("ORCH_GOLDEN") == "write":
        path.write_text(jobspec_page.printed(path.read_text()))

    # If it differs: make golden, and read the diff.
    assert path.read_text() == jobspec_page.printed(path.read_text())


def test_json_page_names_every_command_that_prints_json() -> None:
    page = (ROOT / "docs/json.md").read_text()
    with_json = [n for n, c in every_command() if any(p.name == "json" for p in c.params)]

    assert [name for name in with_json if f"`{name}" not in page] == []


def test_json_page_names_every_key() -> None:
    page = (ROOT / "docs/json.md").read_text()
    views = ("view/plan_json.py", "view/status_json.py", "cli/reading.py", "cli/validation.py")
    text = "".join((ROOT / "gitops" / view).read_text() for view in views)
    # Lower-case words there are not keys but the planner's names.
    keys = set(re.findall(r'^ +"([A-Z]\w+)": ', text, re.MULTILINE))
    assert len(keys) > 50

    assert sorted(k for k in keys if f"`{k}`" not in page) == []


def test_commands_that_are_shown_exist() -> None:
    shown = {m[1] for page in PAGES for m in _COMMAND.finditer(page.read_text())}
    assert len(shown) > 5

    for command in sorted(shown):
        words = [str(Path(sys.executable).parent / "orch"), *command.split()[1:], "--help"]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        assert done.returncode == 0, command


def test_architecture_stays_short() -> None:
    assert len((ROOT / "docs/architecture.md").read_text().splitlines()) <= 200
