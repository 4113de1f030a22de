"""Write the two hashed lock files, or check that they are in step with pyproject.toml.

`lock.py` resolves anew (needs the package index); `lock.py --check` reads files only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = "requirements.lock"
DEVELOPMENT = "requirements-dev.lock"
# The resolver is needed to renew the locks only, so it is no dependency of the project.
RESOLVER = "uv==0.13.9"
# Written for every Python and platform the project runs on, not for the machine it is run on.
RESOLVE = (
    "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-header", "--no-emit-index-url", "--no-emit-find-links",
)  # fmt: skip
HEADER = "# Written by `make lock` from pyproject.toml. Install with --require-hashes.\n"

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked release: its version and how many published files it may be installed from."""

    version: str
    hashes: int


def pins(text: str) -> dict[str, Pin]:
    """Canonical name → pin, of the text of a lock file."""
    found: dict[str, Pin] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        if match := _PIN.match(entry):
            found[canonicalize_name(match[1])] = Pin(match[2], entry.count("--hash=sha256:"))
    return found


def requirements(project: Mapping[str, Mapping[str, list[str]]], *, dev: bool) -> list[Requirement]:
    """The direct requirements that pyproject.toml names."""
    named = [*project["project"]["dependencies"]]
    if dev:
        named += project["dependency-groups"]["dev"]
    return [Requirement(text) for text in named]


def complaints(name: str, text: str, wanted: list[Requirement]) -> list[str]:
    """What is wrong with one lock file, a line each; empty when it is in step."""
    locked = pins(text)
    out = [f"{name}: {key} has no hash" for key, pin in locked.items() if not pin.hashes]
    for requirement in wanted:
        pin = locked.get(canonicalize_name(requirement.name))
        if pin is None:
            out.append(f"{name}: {requirement.name} is missing")
        elif not requirement.specifier.contains(pin.version, prereleases=True):
            out.append(f"{name}: {requirement.name} {pin.version} is not {requirement.specifier}")
    if "://" in text or "--find-links" in text or "--index-url" in text:
        out.append(f"{name}: names an address; a lock says what, not from where")
    return out


def check(root: Path) -> list[str]:
    """The complaints about both lock files of the project at `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    out: list[str] = []
    for name, dev in ((RUNTIME, False), (DEVELOPMENT, True)):
        out += complaints(name, (root / name).read_text(), requirements(project, dev=dev))
    runtime, development = (pins((root / name).read_text()) for name in (RUNTIME, DEVELOPMENT))
    moved = [key for key, pin in runtime.items() if development.get(key) != pin]
    return out + [f"{DEVELOPMENT}: {key} differs from {RUNTIME}" for key in moved]


def write(root: Path) -> None:
    """Resolve both lock files, newest releases first."""
    with tempfile.TemporaryDirectory() as tools:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--target", tools, RESOLVER]
        subprocess.run(pip, check=True)
        resolver = f"{tools}/bin/uv"
        for name, more in ((RUNTIME, ()), (DEVELOPMENT, ("--group", "dev", "-c", RUNTIME))):
            fresh = Path(tools) / name
            subprocess.run(
                [resolver, *RESOLVE, *more, "pyproject.toml", "-o", str(fresh)],
                check=True,
                cwd=root,
                stdout=subprocess.DEVNULL,
            )
            (root / name).write_text(HEADER + fresh.read_text())


def main() -> int:
    """Return 1 when the locks are out of step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    if not parser.parse_args().check:
        write(ROOT)
    wrong = check(ROOT)
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print("run `make lock` and commit the result", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
