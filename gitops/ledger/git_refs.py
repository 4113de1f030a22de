"""What a ledger in a local directory and the cache of a remote one have in common."""

from __future__ import annotations

from collections.abc import Sequence

from gitops.git import Git
from gitops.ledger.objects import GitObject, pack

# More objects than this stay one pack; fewer become files that later ones can replace.
_LOOSE = 64
NO_OBJECT = "0" * 40


def list_heads(git: Git, prefix: str) -> dict[str, str]:
    """Return the refs below `prefix` (without it) and their commits. Raises `GitError`."""
    lines = git.out("for-each-ref", "--format=%(objectname) %(refname)", prefix)
    pairs = (line.split(" ", 1) for line in lines.decode("utf-8", "replace").splitlines())
    return {ref.removeprefix(prefix): oid for oid, ref in pairs}


def write_objects(git: Git, objects: Sequence[GitObject]) -> None:
    """Store objects; no ref moves. Raises `GitError`."""
    command = ("unpack-objects", "-q")
    if len(objects) > _LOOSE:
        command = ("index-pack", "--stdin")
    git.out(*command, stdin=pack(objects))


def collect(git: Git) -> None:
    """Pack what has become many files; nothing younger than two weeks is lost."""
    git.run("-c", "gc.auto=4000", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")


def contains(git: Git, head: str, commit: str) -> bool:
    """Whether `commit` is `head` or in its past."""
    return bool(head) and git.run("merge-base", "--is-ancestor", commit, head).code == 0
