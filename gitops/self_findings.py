"""What orch needs on this side: programs, the repository, caches, keys. Asks no host."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping

from executors.findings import Finding, Result
from executors.home import NoHomeError, at_home
from gitops.caches import cache_folder
from gitops.config import NAME
from gitops.repo import Repository, RepositoryError
from gitops.request import SpecRequest
from gitops.specs import NoSpecsError, Specs, read_specs
from gitops.version import VERSION
from gitops.workspace import Workspace, shown
from inventory.errors import InventoryError
from planner.errors import OrchError, reason

_PYTHON = (3, 11)
# `ls-files --deduplicate`; `core.fsync`, by which ledgers on this machine survive a power cut.
_GIT, _GIT_THAT_SYNCS = (2, 31), (2, 36)
_SECONDS = 10.0
_SHORT_KEY = 16
_SCARCE_MB = 200
_GROUP_OR_OTHERS_WRITE = 0o022


def told(error: OrchError | InventoryError, name: str) -> Finding:
    """Return the finding for what could not be read: the first problem, and how many more."""
    first, *more = error.message.splitlines() or [""]
    rest = [line for line in more if line and not line.startswith((" ", "|"))]
    detail = f"{first} (and {len(rest)} more)" if rest else first
    return Finding(name=name, result=Result.FAILED, detail=detail, remedy=error.hint)


def machine(environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what there is of programs, caches and keys on this machine."""
    return (_python(), _git(), _ssh_program(), _caches(environment), _key(environment))


def _python() -> Finding:
    version = platform.python_version_tuple()
    fits = (int(version[0]), int(version[1])) >= _PYTHON
    return Finding(
        name="python",
        result=Result.OK if fits else Result.FAILED,
        detail=f"{platform.python_version()}, with orch {VERSION}",
        remedy="" if fits else "Install orch with Python 3.11 or newer.",
    )


def _version_of(*argv: str) -> str:
    """Return what a program says of its version; empty where there is no such program."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def _git() -> Finding:
    said = _version_of("git", "--version")
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None:
        remedy = "Install git 2.36 or newer."
        return Finding(name="git", result=Result.FAILED, detail="not there", remedy=remedy)
    version = (int(found[1]), int(found[2]))
    result, detail = Result.OK, said.removeprefix("git version ")
    if version < _GIT:
        result, detail = Result.FAILED, f"{detail} is too old"
    elif version < _GIT_THAT_SYNCS:
        result = Result.WARNING
        detail += " does not sync what it writes to a ledger on this machine"
    remedy = "" if result is Result.OK else "Install git 2.36 or newer."
    return Finding(name="git", result=result, detail=detail, remedy=remedy)


def _ssh_program() -> Finding:
    if said := _version_of("ssh", "-V"):
        return Finding(name="ssh", detail=said.partition(",")[0])
    detail = "no ssh program: it is for git alone, for ledgers over ssh"
    return Finding(name="ssh", result=Result.NOT_NEEDED, detail=detail)


def _caches(environment: Mapping[str, str]) -> Finding:
    remedy = "Set XDG_CACHE_HOME to a folder that is yours."
    try:
        folder = cache_folder(environment)
    except RuntimeError:
        detail = "neither XDG_CACHE_HOME nor a home directory is known"
        return Finding(name="caches", result=Result.FAILED, detail=detail, remedy=remedy)
    there = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        detail = f"{folder}: {there} is not writable"
        return Finding(name="caches", result=Result.FAILED, detail=detail, remedy=remedy)
    free = shutil.disk_usage(there).free // 1_000_000
    scarce = free < _SCARCE_MB
    return Finding(
        name="caches",
        result=Result.WARNING if scarce else Result.OK,
        detail=f"{folder}, {free:,} MB free",
        remedy="Make room; all of it may be removed at any time." if scarce else "",
    )


def _key(environment: Mapping[str, str]) -> Finding:
    key = environment.get("ORCH_KEY", "")
    remedy = "Set ORCH_KEY to a long random text, the same for all who apply, and keep it."
    if not key:
        detail = "ORCH_KEY is not set; it is for sensitive values and saved plans"
        return Finding(name="cluster key", result=Result.NOT_NEEDED, detail=detail)
    if len(key) < _SHORT_KEY:
        detail = f"ORCH_KEY has {len(key)} characters: it can be guessed"
        return Finding(name="cluster key", result=Result.WARNING, detail=detail, remedy=remedy)
    return Finding(name="cluster key", detail="ORCH_KEY is set")


def repository(ws: Workspace) -> tuple[Finding, ...]:
    """Return how it stands with the configuration, the clone, the inventory and the job specs."""
    place = shown(ws.root / NAME, ws.cwd)
    config = Finding(name=NAME, detail=f"{place}, cluster {ws.config.cluster}")
    specs, missing = _specs(ws)
    return (config, _clone(ws), _inventory(ws), specs, *missing)


def _clone(ws: Workspace) -> Finding:
    try:
        found = Repository.find(ws.root)
        paths = found.inside(ws.root, (*ws.config.jobs, NAME, ws.config.inventory))
        dirty = bool(paths) and found.is_dirty(paths)
    except OrchError as e:
        return told(e, "repository")
    where = f"{found.top} at {found.head[:12]}"
    if dirty:
        detail = f"{where}, and changes that are not committed"
        remedy = "What is committed is what runs: git add, git commit (or apply -allow-dirty)."
        return Finding(name="repository", result=Result.WARNING, detail=detail, remedy=remedy)
    return Finding(name="repository", detail=f"{where}, nothing uncommitted")


def _inventory(ws: Workspace) -> Finding:
    path = shown(ws.inventory_path, ws.cwd)
    try:
        count = len(ws.inventory().hosts)
    except (OrchError, InventoryError) as e:
        return told(e, "inventory")
    if not count:
        remedy = "Add hosts to it, or start one here: orch dev"
        detail = f"{path}: no hosts"
        return Finding(name="inventory", result=Result.WARNING, detail=detail, remedy=remedy)
    return Finding(name="inventory", detail=f"{path}: {count} host{'s' if count != 1 else ''}")


def _specs(ws: Workspace) -> tuple[Finding, tuple[Finding, ...]]:
    try:
        found = read_specs(ws, SpecRequest())
    except RepositoryError:
        # told already: there is no repository to read them from
        detail = "not read, for want of a repository"
        return Finding(name="job specs", result=Result.NOT_NEEDED, detail=detail), ()
    except NoSpecsError as e:
        warning = Result.WARNING
        return Finding(name="job specs", result=warning, detail=e.message, remedy=e.hint), ()
    except (OrchError, InventoryError) as e:
        bad = told(e, "job specs")
        remedy = bad.remedy or "orch validate"
        return Finding(name=bad.name, result=bad.result, detail=bad.detail, remedy=remedy), ()
    count, warnings = len(found.loaded), len(found.warnings)
    detail = f"{count} valid"
    if warnings:
        detail += f", {warnings} warning{'s' if warnings != 1 else ''}: see 'orch validate'"
    return Finding(name="job specs", detail=detail), _unkeyed(ws, found)


def _unkeyed(ws: Workspace, specs: Specs) -> tuple[Finding, ...]:
    if not specs.vault.jobs or ws.environment.get("ORCH_KEY"):
        return ()
    count = len(specs.vault.jobs)
    return (
        Finding(
            name="sensitive values",
            result=Result.WARNING,
            detail=f"{count} job{'s have' if count != 1 else ' has'} some, and no ORCH_KEY is set",
            remedy="Set ORCH_KEY before the first apply: who reads the ledger can try out short "
            "values otherwise.",
        ),
    )


def trusted_files(paths: tuple[str, ...]) -> Finding:
    """Return how it stands with files of trusted host keys; `paths` are those that orch reads."""
    there: list[str] = []
    for path in paths:
        try:
            file = at_home(path)
            lines = file.read_text(errors="replace").splitlines()
            mode = file.stat().st_mode
        except (FileNotFoundError, NoHomeError):
            continue
        except OSError as e:
            detail, remedy = f"{path}: {reason(e)}", f"Make it readable for you: {path}"
            return Finding(name="known_hosts", result=Result.FAILED, detail=detail, remedy=remedy)
        if mode & _GROUP_OR_OTHERS_WRITE:
            detail, remedy = f"{path}: others can write to it", f"chmod go-w {path}"
            return Finding(name="known_hosts", result=Result.FAILED, detail=detail, remedy=remedy)
        count = sum(bool(x.strip()) and not x.startswith("#") for x in lines)
        there.append(f"{path} ({count} keys)")
    if not there:
        detail = f"none: {', '.join(paths)}; only orch_host_key counts"
        return Finding(name="known_hosts", result=Result.NOT_NEEDED, detail=detail)
    return Finding(name="known_hosts", detail=", ".join(there))
