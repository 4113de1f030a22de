"""What is shipped, and under which names: four generic import names that have to be ours alone."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

OURS = "orch-gitops"
PACKAGES = ["gitops", "planner", "executors", "inventory"]
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that a release would be."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_package(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {OURS}


def test_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    ours = {line for line in listed.stdout.splitlines() if (ROOT / line).exists()}
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert shipped == ours
    assert {name.partition("/")[0] for name in shipped} == set(PACKAGES)


def test_wheel_holds_the_scripts_that_run_on_hosts(wheel: Path) -> None:
    scripts = [str(path.relative_to(ROOT)) for path in (ROOT / "executors").rglob("*.sh")]

    assert scripts
    assert set(scripts) <= set(zipfile.ZipFile(wheel).namelist())


def test_wheel_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from gitops.main import main; "
    program += "import gitops; print(gitops.__file__); sys.argv[1:] = ['--version']; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] in done.stdout


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_says_what_and_not_from_where(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert not re.search(r"://|--index-url|--find-links|--trusted-host|/\w+/", text)
    assert re.search(r"^[a-z].*==", text, re.MULTILINE)


def test_locks_are_in_step_with_pyproject() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "lock.py"), "--check"]
    done = subprocess.run(check, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lock", LOCKS)
def test_locked_libraries_with_machine_code_fit_more_than_one_machine(lock: str) -> None:
    entries = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    (entry,) = [line for line in entries if line.startswith("pydantic-core==")]

    assert entry.count("--hash=sha256:") > 20
