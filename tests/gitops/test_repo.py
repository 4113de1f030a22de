from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from gitops.repo import (
    FILE_LIMIT,
    RepositoryError,
    Wanted,
    normalised,
    read_named,
    read_source,
)


def git(directory: Path, *args: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    command = ["git", "-C", str(directory), *who, *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=env
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    top = tmp_path / "clone"
    (top / "jobs" / "sub").mkdir(parents=True)
    git(tmp_path, "init", "-q", str(top))
    for name in ("jobs/a.nomad.hcl", "jobs/sub/b.nomad", "jobs/c.nomad.json", "jobs/README.md"):
        (top / name).write_text(f"# {name}\n")
    (top / "orch.toml").write_text("")
    (top / ".gitignore").write_text("ignored*\n")
    commit_all(top)
    return top


def commit_all(top: Path) -> str:
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "x")
    return git(top, "rev-parse", "HEAD")


def test_files_commit_and_blobs(clone: Path) -> None:
    (clone / "jobs" / "ignored.nomad.hcl").write_text("x")
    read = read_source(Wanted(root=clone))
    assert list(read.files) == ["jobs/a.nomad.hcl", "jobs/c.nomad.json", "jobs/sub/b.nomad"]
    assert read.files["jobs/sub/b.nomad"].text == "# jobs/sub/b.nomad\n"
    assert read.files["jobs/sub/b.nomad"].blob == git(clone, "rev-parse", "HEAD:jobs/sub/b.nomad")
    assert (read.source.commit, read.source.dirty) == (git(clone, "rev-parse", "HEAD"), False)
    assert read.top == clone
    assert read_source(Wanted(root=clone / "jobs", jobs=(".",))).source.digest == read.source.digest


@pytest.mark.parametrize(
    ("path", "dirty"),
    [
        ("jobs/a.nomad.hcl", True),
        ("jobs/new.nomad", True),
        ("orch.toml", True),
        ("inventory.yml", True),
        ("notes.txt", False),
    ],
)
def test_dirty_means_what_was_read(clone: Path, path: str, dirty: bool) -> None:
    before = read_source(Wanted(root=clone)).source
    (clone / path).write_text("changed\n")
    after = read_source(Wanted(root=clone)).source
    assert after.dirty is dirty
    assert (after.digest != before.digest) is path.startswith("jobs/")


def test_a_deleted_file_is_dirty_and_not_read(clone: Path) -> None:
    (clone / "jobs/a.nomad.hcl").unlink()
    read = read_source(Wanted(root=clone))
    assert read.source.dirty
    assert "jobs/a.nomad.hcl" not in read.files


def test_a_revision_is_read_as_it_was(clone: Path) -> None:
    first = read_source(Wanted(root=clone))
    (clone / "jobs/a.nomad.hcl").write_text("new\n")
    commit_all(clone)
    (clone / "jobs/a.nomad.hcl").write_text("newer\n")
    read = read_source(Wanted(root=clone, rev="HEAD~1"))
    assert (read.files, read.source) == (first.files, first.source)


def test_reading_leaves_the_clone_byte_for_byte(clone: Path) -> None:
    # Same content, other times: a status that may write would refresh the index.
    for path in (clone / "jobs").rglob("*.nomad*"):
        os.utime(path, (1, 1))
    before = state_of(clone)
    read_source(Wanted(root=clone))
    read_source(Wanted(root=clone, rev="HEAD"))
    assert state_of(clone) == before


def state_of(top: Path) -> dict[str, tuple[str, int]]:
    return {
        str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
        for p in top.rglob("*")
        if p.is_file()
    }


def test_clones_share_an_identity(clone: Path, tmp_path: Path) -> None:
    root = git(clone, "rev-list", "--max-parents=0", "HEAD")
    assert read_source(Wanted(root=clone)).source.repository == f"root:{root}"
    ids: set[str] = set()
    for url in ("git@Git.example.org:team/jobs.git", "https://u:p@git.example.org/team/jobs"):
        other = tmp_path / str(len(url))
        git(tmp_path, "clone", "-q", str(clone), str(other))
        git(other, "remote", "set-url", "origin", url)
        ids.add(read_source(Wanted(root=other)).source.repository)
    assert ids == {"git.example.org/team/jobs"}


def test_a_name_that_was_given_counts_before_any_address(clone: Path) -> None:
    assert read_source(Wanted(root=clone, repository="shop")).source.repository == "shop"


def test_a_shallow_clone_is_read_by_its_origin(clone: Path, tmp_path: Path) -> None:
    (clone / "x").write_text("")
    commit_all(clone)
    other = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{clone}", str(other))
    assert read_source(Wanted(root=other)).source.repository == str(clone)
    with pytest.raises(RepositoryError, match="the clone is shallow"):
        read_source(Wanted(root=other, rev="HEAD~1"))
    git(other, "remote", "remove", "origin")
    with pytest.raises(RepositoryError, match="shallow clone without"):
        read_source(Wanted(root=other))


def test_what_is_no_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="not in a Git repository") as caught:
        read_source(Wanted(root=tmp_path))
    assert "git init" in caught.value.hint
    with pytest.raises(RepositoryError, match="is not a directory"):
        read_source(Wanted(root=tmp_path / "nowhere"))
    git(tmp_path, "init", "-q")
    with pytest.raises(RepositoryError, match="has no commit yet"):
        read_source(Wanted(root=tmp_path))


@pytest.mark.parametrize("rev", ["nope", "HEAD~99", "--all", "HEAD:jobs"])
def test_a_bad_revision_is_named(clone: Path, rev: str) -> None:
    with pytest.raises(RepositoryError, match="is no commit of"):
        read_source(Wanted(root=clone, rev=rev))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "nowhere"])
def test_links_that_lead_out_are_refused(clone: Path, target: str) -> None:
    (clone.parent / "outside").write_text("secret")
    (clone / "jobs" / "evil.nomad.hcl").symlink_to(target)
    with pytest.raises(RepositoryError, match=r"jobs/evil\.nomad\.hcl: a link"):
        read_source(Wanted(root=clone))
    commit_all(clone)
    with pytest.raises(RepositoryError, match="a link"):
        read_source(Wanted(root=clone, rev="HEAD"))


def test_a_link_inside_is_followed(clone: Path) -> None:
    (clone / "jobs" / "z.nomad").symlink_to("a.nomad.hcl")
    assert read_source(Wanted(root=clone)).files["jobs/z.nomad"].text == "# jobs/a.nomad.hcl\n"


@pytest.mark.parametrize("rev", ["", "HEAD"])
@pytest.mark.parametrize(
    ("content", "reason"), [(b"x" * (FILE_LIMIT + 1), "more than 4 MiB"), (b"a\xff", "not UTF-8")]
)
def test_unfit_files_are_refused(clone: Path, content: bytes, reason: str, rev: str) -> None:
    (clone / "jobs" / "big.nomad").write_bytes(content)
    commit_all(clone)
    with pytest.raises(RepositoryError, match=rf"jobs/big\.nomad: {reason}"):
        read_source(Wanted(root=clone, rev=rev))


def test_folders_elsewhere_are_refused(clone: Path) -> None:
    with pytest.raises(RepositoryError, match="no folder of job specs"):
        read_source(Wanted(root=clone, jobs=("../elsewhere",)))


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://Host.org/a/b.git/", "host.org/a/b"),
        ("ssh://git@host.org:22/a/b", "host.org/a/b"),
        ("git@host.org:a/b.git", "host.org/a/b"),
        ("file:///srv/b.git", "/srv/b"),
        ("/srv/b.git", "/srv/b"),
        ("../b.git", "../b"),
    ],
)
def test_addresses_have_one_form(url: str, form: str) -> None:
    assert normalised(url) == form


def test_named_files_are_read_alone(clone: Path) -> None:
    (clone / "jobs" / "c.nomad.json").write_bytes(b"\xff")
    (clone / "ignored.nomad").write_text("x")
    named = [clone / "jobs/a.nomad.hcl", clone / "ignored.nomad", clone / "jobs/none", Path("/etc")]

    read = read_named(clone / "jobs", named)

    assert {path: file.text for path, file in read.files.items()} == {
        "jobs/a.nomad.hcl": "# jobs/a.nomad.hcl\n",
        "ignored.nomad": "x",
    }
    with pytest.raises(RepositoryError, match="UTF-8"):
        read_named(clone, [clone / "jobs/c.nomad.json"])
