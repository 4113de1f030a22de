"""docs/schema is what the types of the outputs say; what it says changes with its version only."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gitops.cli.commands import every_command
from gitops.view.formats import FORMATS
from gitops.view.outputs import SHAPES
from tests import json_output
from tests.docs import schemas

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def rewritten() -> None:
    if os.environ.get("ORCH_GOLDEN") == "write":
        schemas.write()


def stored(name: str) -> Any:  # noqa: ANN401
    return json.loads((schemas.FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("name", FORMATS)
def test_a_schema_is_what_the_types_say(name: str) -> None:
    # If it differs: raise its version in gitops/view/formats.py, then make golden.
    assert stored(name) == schemas.schema(name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_schema_changes_with_its_version_only(name: str) -> None:
    known = json.loads(schemas.FINGERPRINTS.read_text())

    # If it differs: raise its version in gitops/view/formats.py; this file is only added to.
    assert known[name][FORMATS[name]] == schemas.fingerprint(schemas.schema(name))


@pytest.mark.parametrize("name", FORMATS)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(stored(name))
    assert stored(name)["$id"] == f"urn:orch:schema:{name}:{FORMATS[name]}"


def test_every_output_has_a_version_a_shape_and_a_file() -> None:
    files = {p.stem for p in schemas.FOLDER.glob("*.json")} - {"fingerprints"}

    assert set(FORMATS) == set(SHAPES) == files


def test_a_change_gives_another_fingerprint_and_other_words_do_not() -> None:
    made = schemas.schema("history")
    version = made["$defs"]["Version"]
    assert version["description"]

    version["description"] = "Other words."
    assert schemas.fingerprint(made) == schemas.fingerprint(schemas.schema("history"))
    version["properties"]["Commit"] = {"type": "integer"}
    assert schemas.fingerprint(made) != schemas.fingerprint(schemas.schema("history"))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"Surprise": 1}, "'Surprise' was unexpected"),
        ({"Version": "1"}, "'1' is not of type 'integer'"),
    ],
)
def test_tests_find_what_a_schema_does_not_name(entry: dict[str, Any], problem: str) -> None:
    sound: dict[str, Any] = {
        "Version": 1,
        "Stable": True,
        "SubmitTime": 1,
        "JobModifyIndex": 1,
        "Commit": "",
        "Path": "",
        "Images": {},
        "Tag": None,
    }
    json_output.check(["history", "-json", "web"], json.dumps([sound]))

    with pytest.raises(AssertionError, match=re.escape(problem)):
        json_output.check(["history", "-json", "web"], json.dumps([{**sound, **entry}]))
    if "Surprise" in entry:  # readers pass over it
        jsonschema.validate([{**sound, **entry}], stored("history"))


def test_every_command_that_prints_json_has_a_schema() -> None:
    printing = {
        tuple(n.split()) for n, c in every_command() if "json" in {p.name for p in c.params}
    }

    # Another command: its types in gitops/view/shapes.py, then tests/json_output.py.
    assert printing == set(json_output.SCHEMAS)
    assert {n for names in json_output.SCHEMAS.values() for n in names} <= set(FORMATS)


def test_everything_that_runs_commands_checks_what_they_print() -> None:
    runs = re.compile(r"\bprogram\.run\(|\bfrom gitops\.main import main\b")
    files = [p for p in ROOT.glob("tests/**/*.py") if runs.search(p.read_text())]
    # What these run prints no JSON.
    silent = {"test_packaging", "test_completion", "test_fmt", "test_help"}
    silent |= {"test_reconcile", "test_words"}
    assert len(files) > 5

    assert {p.stem for p in files if "json_output.check(" not in p.read_text()} == silent


def test_the_page_names_every_output_and_every_key() -> None:
    page = (ROOT / "docs/json.md").read_text()
    keys = {k for shape in SHAPES.values() for k in schemas.own_keys(shape)}
    assert len(keys) > 100

    assert sorted(k for k in keys if f"`{k}`" not in page) == []
    assert sorted(n for n in FORMATS if f"(schema/{n}.json)" not in page) == []
