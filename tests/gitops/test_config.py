"""`orch.toml` is read strictly: every problem with its line, its name, and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops import config

ALL = """\
cluster = "shop"
jobs = ["a", "b"]
sensitive = []

[ledger]
lease_ttl = 5

[ssh]
concurrency = 7
connect_timeout = 1.5

[reconcile]
auto_apply = false
"""


def _loaded(folder: Path, text: str) -> config.Config:
    file = folder / "orch.toml"
    file.write_text(text)
    return config.load(file)


def test_what_is_given_is_taken_and_the_rest_has_defaults(tmp_path: Path) -> None:
    found = _loaded(tmp_path, ALL)

    assert found == config.Config(
        cluster="shop",
        jobs=("a", "b"),
        ledger=config.LedgerConfig(lease_ttl=5.0),
        ssh=config.SshConfig(concurrency=7, connect_timeout=1.5),
        reconcile=config.ReconcileConfig(auto_apply=False),
    )
    assert isinstance(found.ledger.lease_ttl, float)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("inventory = 3", "2: 'inventory' must be text in double quotes"),
        ("inventory = 1979-05-27", "2: 'inventory' must be text in double quotes"),
        ("jobs = true", "2: 'jobs' must be a list, as in jobs = [\"…\"]"),
        ("jobs = ['a', 1]", "2: 'jobs' must be a list of text in double quotes"),
        ("ssh = 1", "2: 'ssh' must be a section: [ssh]"),
        ("ssh.concurrency = true", "'ssh.concurrency' must be a whole number"),
        ("ssh.concurrency = 1.0", "'ssh.concurrency' must be a whole number"),
        ("[ssh]\nconcurrency = 0", "3: 'ssh.concurrency' must be from 1 to 1000"),
        ("[ssh]\nprobe_timeout = 0", "3: 'ssh.probe_timeout' must be above 0 and at most 600"),
        ("[ssh]\nprobe_timeout = nan", "3: 'ssh.probe_timeout' must be above 0"),
        ("[ssh]\nprobe_timeout = '3'", "3: 'ssh.probe_timeout' must be a number"),
        ("[ledger]\nlease_ttl = 1" + 400 * "0", "3: 'ledger.lease_ttl' must be from 1 to 3600"),
        ("[reconcile]\nauto_apply = 1", "3: 'reconcile.auto_apply' must be true or false"),
        ("[scheduler]\nalgorithm = 'x'", '\'scheduler.algorithm\' must be "binpack" or "spread"'),
        ("[ssh]\nusr = ''", "3: 'ssh.usr' is not a setting of orch; did you mean 'user'?"),
        ("[sssh]\nuser = ''", "2: 'sssh' is not a setting of orch; did you mean 'ssh'?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        _loaded(tmp_path, f'cluster = "a"\n{line}\n')

    assert words in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError) as caught:
        _loaded(tmp_path, "jobs = 1\ncluster = 'a b'\nnone = 1\n")

    assert str(caught.value).splitlines() == [
        "orch.toml:2: 'cluster' may hold letters, digits, '-' and '_' only",
        "orch.toml:1: 'jobs' must be a list, as in jobs = [\"…\"]",
        "orch.toml:3: 'none' is not a setting of orch",
    ]
