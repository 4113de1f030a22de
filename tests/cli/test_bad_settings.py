"""Settings, inventories, repositories and ledgers that are wrong, missing or gone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.cli.cases import Case, all_of, cases, check
from tests.cli.place import CLUSTER, CONFIG, Place, job

APPLY = "apply -auto-approve"
STATE = f"refs/orch/{CLUSTER}/state"


NEW_JOB = partial(Place.commit, name="jobs/new.nomad.hcl", text=job("new"))


def no_git(place: Place) -> None:
    shutil.rmtree(place.clone / ".git")


def config(text: str) -> Callable[[Place], None]:
    return partial(Place.commit, name="orch.toml", text=text)


def hosts(text: str) -> Callable[[Place], None]:
    return partial(Place.inventory, text=f"all:\n  hosts:\n{text}")


@cases(
    Case(
        name="no orch.toml",
        given=lambda p: (p.clone / "orch.toml").unlink(),
        words=("no orch.toml here or in any folder above", "orch init"),
    ),
    Case(
        name="ORCH_CONFIG names nothing",
        given=lambda p: p.environment.update(ORCH_CONFIG="/none/orch.toml"),
        words=("/none/orch.toml: no such file", "ORCH_CONFIG"),
    ),
    Case(
        name="bad TOML",
        given=config("cluster = \n"),
        words=("orch.toml:1:11: not valid TOML: ", "text in double quotes"),
    ),
    Case(
        name="unknown setting",
        given=config('cluster = "a"\njbos = ["x"]\n'),
        words=("orch.toml:2: 'jbos' is not a setting of orch; did you mean 'jobs'?",),
    ),
    Case(
        name="wrong type",
        given=config('cluster = "a"\njobs = 3\n[ssh]\nconcurrency = "many"\n'),
        words=(
            "orch.toml:2: 'jobs' must be a list",
            "orch.toml:4: 'ssh.concurrency' must be a whole number",
        ),
    ),
    Case(
        name="bad cluster name",
        given=config('cluster = "a b"\n'),
        words=("orch.toml:1: 'cluster' may hold letters, digits, '-' and '_' only",),
    ),
    Case(
        name="no cluster name",
        given=config('jobs = ["jobs"]\n'),
        words=("orch.toml: 'cluster' is missing",),
    ),
    Case(name="not text", given=config("\x00"), words=("orch.toml:1:1: not valid TOML",)),
    Case(
        name="no job folder",
        given=config(CONFIG.replace('["jobs"]', '["specs"]')),
        words=("no job specs in specs", "Add specs/NAME.nomad.hcl"),
    ),
    Case(
        name="job folder elsewhere",
        given=config(CONFIG.replace('["jobs"]', '["/etc"]')),
        words=("no folder of job specs lies in the repository", "'jobs' in orch.toml"),
    ),
    *(
        Case(
            name=f"{setting} in the home of nobody",
            given=all_of(
                config(f'{CONFIG}[ssh]\n{setting} = "~nobody.known/x"\n'),
                lambda p: p.environment.update(ORCH_SSH_CONFIG=""),
            ),
            words=("~nobody.known/x: ~nobody.known is nobody's home directory",),
        )
        for setting in ("config", "known_hosts")
    ),
    Case(
        name="a ledger in the home of nobody",
        given=lambda p: p.environment.update(ORCH_LEDGER_URL="~nobody.known/ledger.git"),
        words=("~nobody.known/ledger.git: ~nobody.known is nobody's home directory",),
    ),
)
def test_bad_configuration(case: Case, place: Place) -> None:
    check(case, place)


def without_an_inventory(place: Place) -> None:
    place.write("hosts/notes.txt", "")
    place.environment.update(ORCH_INVENTORY="hosts")


@cases(
    Case(
        name="missing",
        given=lambda p: p.environment.update(ORCH_INVENTORY="none.yml"),
        words=("none.yml: no such inventory", "ORCH_INVENTORY"),
    ),
    Case(
        name="a directory without an inventory",
        given=without_an_inventory,
        words=("hosts: no inventory in this folder",),
    ),
    Case(name="bad YAML", given=hosts("    a: [\n"), words=("inventory.yml:4:1: invalid YAML",)),
    Case(
        name="duplicate key",
        given=hosts("    a: {}\n    a: {}\n"),
        words=("inventory.yml:4:5: duplicate key 'a': it is on line 3 already",),
    ),
    Case(
        name="port out of range",
        given=hosts("    a:\n      ansible_port: 99999\n"),
        words=("inventory.yml:4:21: ansible_port: 99999 is not between 1 and 65535",),
    ),
    Case(
        name="unknown variable",
        given=hosts("    a:\n      orch_datacentre: x\n"),
        words=("inventory.yml:4:7: unknown variable 'orch_datacentre'", "'orch_datacenter'?"),
    ),
    Case(
        name="not a mapping",
        given=partial(Place.inventory, text="- a\n"),
        words=("inventory.yml:1:1: an inventory is a mapping of groups",),
    ),
    Case(
        name="not text",
        given=partial(Place.inventory, text=b"\xff"),
        words=("inventory.yml: not UTF-8 text",),
    ),
    Case(
        name="no such host",
        argv="plan -limit nohost",
        words=("no host or group 'nohost' in ", "See 'orch hosts list'."),
    ),
    Case(name="no host at all", argv="plan -limit x*", words=("no host matches 'x*'",)),
)
def test_bad_inventory(case: Case, place: Place) -> None:
    check(case, place)


def test_an_empty_inventory(place: Place) -> None:
    case = Case(
        name="empty",
        given=all_of(NEW_JOB, partial(Place.inventory, text="")),
        words=("The inventory has no hosts", "orch dev"),
        out=("* No nodes were eligible for evaluation",),
        code=4,
    )
    check(case, place)


@cases(
    Case(
        name="not a repository",
        given=no_git,
        words=("is not in a Git repository", "git init"),
    ),
    Case(
        name="no commit",
        given=all_of(no_git, lambda p: p.git("init", "-q")),
        words=("has no commit yet", "git add . && git commit"),
    ),
    Case(
        name="dirty",
        argv=APPLY,
        given=lambda p: p.write("jobs/new.nomad.hcl", job("new")),
        words=(
            "changes that are not committed; nothing was touched",
            "Commit them",
            "-allow-dirty",
        ),
    ),
    Case(
        name="neither ledger nor origin",
        given=config(CONFIG.split("[ledger]")[0]),
        words=("no place for the ledger", "git remote add origin", 'url = ".orch/ledger.git"'),
    ),
)
def test_bad_repository(case: Case, place: Place) -> None:
    check(case, place)


def ledger(url: str) -> Callable[[Place], None]:
    return lambda p: p.commit(
        "orch.toml", CONFIG.replace("../ledger.git", url.replace("@root@", str(p.root)))
    )


def protected(place: Place) -> None:
    hook = place.ledger / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on my watch >&2\nexit 1\n")
    hook.chmod(0o755)


def rewound(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new", group="count = 0"))
    before = place.state
    assert place.orch(*APPLY.split()).code == 0
    assert place.state != before
    place.git("update-ref", STATE, before, cwd=place.ledger)


def newer(place: Place) -> None:
    """Write the newest decision as a later orch would: with another number of format."""
    bare = place.ledger
    tree = place.git("ls-tree", STATE, cwd=bare)
    name = next(line for line in tree.splitlines() if line.endswith("\tmeta.json"))
    blob = name.split()[2]
    text = place.git("cat-file", "blob", blob, cwd=bare)
    assert '"Format":1' in text, text
    made = written(bare, text.replace('"Format":1', '"Format":99'))
    new = subprocess.run(
        ("git", "mktree"), cwd=bare, input=tree.replace(blob, made), capture_output=True,
        text=True, check=True,
    ).stdout.strip()  # fmt: skip
    commit = place.git("commit-tree", new, "-p", place.state, "-m", "Later", cwd=bare).strip()
    place.git("update-ref", STATE, commit, cwd=bare)


def written(bare: Path, text: str) -> str:
    done = subprocess.run(
        ("git", "hash-object", "-w", "--stdin"), cwd=bare, input=text, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@cases(
    Case(
        name="gone",
        argv=APPLY,
        given=ledger("file:///none/ledger.git"),
        words=("the ledger file:///none/ledger.git can't be reached: '/none/", "[ledger] url"),
    ),
    Case(
        name="refused",
        argv=APPLY,
        given=ledger("ssh://127.0.0.1:1/ledger.git"),
        words=("the ledger ssh://127.0.0.1:1/ledger.git can't be reached", "Connection refused\n"),
    ),
    Case(
        name="something else",
        argv=APPLY,
        given=ledger("jobs"),
        words=("jobs", "something else in it"),
    ),
    Case(name="a file", argv=APPLY, given=ledger("orch.toml"), words=("orch.toml", "it is a file")),
    Case(
        name="protected",
        argv=APPLY,
        given=all_of(NEW_JOB, ledger("file://@root@/ledger.git"), protected),
        words=("ledger.git refuses to be changed", "not on my watch", "a protected ref"),
        out=("1 job to change",),
    ),
    Case(
        name="rewound",
        argv=APPLY,
        given=rewound,
        words=("/ledger.git went back: index", "orch ledger repair"),
    ),
    Case(
        name="of a later orch",
        argv=APPLY,
        given=newer,
        words=("/ledger.git was written by a newer orch", "format 99", "Upgrade orch"),
    ),
)
def test_bad_ledger(case: Case, place: Place) -> None:
    check(case, place)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_ledger_that_may_not_be_written(place: Place) -> None:
    place.commit("jobs/new.nomad.hcl", job("new"))
    places = [place.ledger, *(p for p in place.ledger.rglob("*") if p.is_dir())]
    try:
        for path in places:
            path.chmod(stat.S_IRUSR | stat.S_IXUSR)
        check(Case(name="read-only", argv=APPLY, words=("ledger", "permission")), place)
    finally:
        for path in places:
            path.chmod(stat.S_IRWXU)
