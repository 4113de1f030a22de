"""Files that expressions read: which, from where, and none outside the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from gitops.diagnostics import SpecErrors
from gitops.jobspec.files import MAX_BYTES, FileFault, Folder, glob
from gitops.jobspec.folders import CommitFolder, TreeFolder
from gitops.jobspec.load import load
from gitops.jobspec.spec import LoadedSpec
from gitops.jobspec.variables import Variables
from tests.gitops.jobspec.specs import errors_of, spec

Place: TypeAlias = Callable[[Path], Folder]

FILES = {
    "jobs/conf/a.txt": "line one\n",
    "jobs/conf/b.bin": "\udcff",
    "jobs/conf/sub/c.txt": "c",
    "shared/d.txt": "e\u0301",
}


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Make a repository's top folder, with a secret beside it."""
    top = tmp_path / "repo"
    for name, content in FILES.items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "secret").write_text("secret")
    return top


def folder(top: Path) -> Folder:
    return TreeFolder(top.resolve(), "jobs")


def commit(top: Path) -> Folder:
    blobs = {name: len(content) for name, content in FILES.items()}
    return CommitFolder(blobs, lambda name: (top / name).read_bytes(), "jobs")


def loaded(expression: str, place: Folder) -> LoadedSpec:
    text = spec(job=f"meta {{\nv = {expression}\n}}")
    return load(text, path="x.nomad.hcl", variables=Variables(), folder_of=lambda _: place)


VALUES = {
    'file("conf/a.txt")': "line one\n",
    'file("./conf/../conf/a.txt")': "line one\n",
    'file("../shared/d.txt")': "\u00e9",
    'filebase64("conf/b.bin")': "/w==",
    'fileexists("conf/a.txt")': "true",
    'fileexists("conf/none.txt")': "false",
    'jsonencode(fileset("conf", "*.txt"))': '["a.txt"]',
    'jsonencode(fileset("conf", "**"))': '["a.txt","b.bin","sub/c.txt"]',
    'jsonencode(fileset(".", "conf/**/*.{txt,md}"))': '["conf/a.txt","conf/sub/c.txt"]',
    'jsonencode(fileset("conf", "[!b]*"))': '["a.txt"]',
    'jsonencode(fileset("none", "*"))': "[]",
    'try(file("none"), "else")': "else",
}


@pytest.mark.parametrize("place", [folder, commit])
@pytest.mark.parametrize(("expression", "value"), VALUES.items())
def test_a_file_is_read(expression: str, value: str, top: Path, place: Place) -> None:
    assert loaded(expression, place(top)).job.meta["v"] == value


REFUSED = {
    'file("conf/none.txt")': "there is no file",
    'file("../../secret")': "does not lie in the repository",
    'file("/etc/passwd")': "does not lie in the repository",
    'file("~/x")': "does not lie in the repository",
    'file("../.git/config")': "does not lie in the repository",
    'file("conf/b.bin")': "no UTF-8 text",
    'fileset("../..", "*")': "does not lie in the repository",
    'fileset("conf", "[a")': "no complete pattern",
    'fileset("conf", "{a")': "not complete",
}


@pytest.mark.parametrize("place", [folder, commit])
@pytest.mark.parametrize(("expression", "detail"), REFUSED.items())
def test_a_file_is_refused(expression: str, detail: str, top: Path, place: Place) -> None:
    with pytest.raises(SpecErrors) as caught:
        loaded(expression, place(top))
    (told,) = caught.value.diagnostics
    assert detail in told.detail.replace("is not UTF-8 text", "no UTF-8 text")


def test_links_lead_to_files_of_the_repository_only(top: Path) -> None:
    (top / "jobs" / "out").symlink_to(top.parent / "secret")
    (top / "jobs" / "far").symlink_to(top.parent)
    (top / "jobs" / "in").symlink_to(top / "shared" / "d.txt")
    (top / "jobs" / "circle").symlink_to("circle")
    place = folder(top)
    assert place.read("in") == "e\u0301".encode()
    for name in ("out", "far/secret", "circle"):
        with pytest.raises(FileFault):
            place.read(name)
    with pytest.raises(FileFault):
        list(place.listed("far"))
    assert "out" not in list(place.listed("."))


def test_only_files_of_a_bearable_size_are_read(top: Path) -> None:
    (top / "jobs" / "large").write_bytes(bytes(MAX_BYTES + 1))
    with pytest.raises(FileFault):
        folder(top).read("large")
    with pytest.raises(FileFault):
        folder(top).read("conf")


def test_what_was_read_is_told_with_the_spec(top: Path) -> None:
    found = loaded(
        '"${file("conf/a.txt")}${fileexists("no")}${length(fileset("conf", "*"))}"', folder(top)
    )
    assert [r.path for r in found.reads] == ["glob:jobs/conf/*", "jobs/conf/a.txt", "jobs/no"]
    assert [bool(r.digest) for r in found.reads] == [True, True, False]
    assert found.repeats


def test_without_a_folder_nothing_is_read() -> None:
    (told,) = errors_of(spec(job='meta {\nv = file("x")\n}'))
    assert told.detail == "no files can be read here."


@pytest.mark.parametrize("expression", ["uuidv4()", 'bcrypt("x", 4)', 'abspath("x")'])
def test_what_varies_is_warned_of(expression: str, top: Path) -> None:
    found = loaded(f'strlen({expression}) > 0 ? "x" : ""', folder(top))
    name = expression.partition("(")[0]
    assert [w.line for w in found.warnings if w.summary.startswith(f'"{name}" gives')] == [4]
    assert not found.repeats


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("*", "a/b", False),
        ("**/c", "c", True),
        ("**/c", "a/b/c", True),
        ("a/**", "a/b/c", True),
        ("[a-c]", "b", True),
        ("[^a-c]", "b", False),
        ("{a,b/c}.d", "b/c.d", True),
        ("a.b", "axb", False),
        ("\\*", "*", True),
    ],
)
def test_a_pattern_matches(pattern: str, path: str, matches: bool) -> None:
    assert bool(glob(pattern).fullmatch(path)) == matches
