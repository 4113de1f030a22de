"""The post-receive hook of a bare repository: a push to one branch starts a reconcile."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from gitops.git import Git
from planner.errors import OrchError, reason

_MARK = "# Written by 'orch hook install'; run that again to change it."
_HOOK = """\
#!/bin/sh
{mark}
while read -r _ new ref; do
    case $ref in {ref}) pushed=$new ;; esac
done
# nothing of it was pushed, or it was deleted
case ${{pushed:-0}} in *[!0]*) ;; *) exit 0 ;; esac
exec {orch} reconcile -once -ref {ref} "$(pwd)"
"""
_HEADS = "refs/heads/"


def install(repository: str, branch: str) -> tuple[Path, str]:
    """Write the hook; return its path and the branch that it follows.

    Without `branch` that is the repository's own HEAD. Raises `OrchError` where the repository is
    not bare, or has another hook already.
    """
    git = Git(directory=Path(repository).absolute(), bare=True)
    bare = git.run("rev-parse", "--is-bare-repository")
    if bare.code != 0 or bare.stdout.strip() != b"true":
        raise OrchError(
            f"{repository}: not a bare repository",
            "Make one with 'git init --bare', and push to it. In CI, use 'orch apply' instead.",
        )
    if not branch:
        branch = git.out("symbolic-ref", "HEAD").decode().strip()
    branch = branch.removeprefix(_HEADS)
    if git.run("check-ref-format", f"{_HEADS}{branch}").code != 0:
        raise OrchError(f"{branch!r} is not the name of a branch", "As in -ref main.")
    path = Path(repository).resolve() / "hooks" / "post-receive"
    _write(path, _HOOK.format(mark=_MARK, orch=_program(), ref=shlex.quote(_HEADS + branch)))
    return path, branch


def _program() -> str:
    """Return how this program is called, as a shell word: by its whole path where it has one."""
    found = Path(sys.argv[0]).absolute()
    if found.name == "orch" and found.is_file():
        return shlex.quote(str(found))
    return shlex.quote(shutil.which("orch") or "orch")


def _write(path: Path, text: str) -> None:
    try:
        if path.exists() and _MARK not in path.read_text(encoding="utf-8", errors="replace"):
            raise OrchError(
                f"{path}: there is another hook already; nothing was written",
                f"Let it run: orch reconcile -once -ref BRANCH {shlex.quote(str(path.parents[1]))}",
            )
        path.parent.mkdir(exist_ok=True)
        new = path.with_name(".post-receive.new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o755)
        new.replace(path)
    except OSError as e:
        raise OrchError(f"{path}: {reason(e)}", "The hook is a file in the repository.") from e
