"""Host patterns in Ansible's words."""

from __future__ import annotations

import pytest

from inventory.errors import PatternError
from inventory.load import load
from inventory.pattern import select

FLEET = load(
    """
web: {hosts: {web1: , web2: , web3: }}
db: {hosts: {db1: , db2: }}
fast: {hosts: {web1: , db1: }}
""",
    path="inventory.yml",
)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", "web1 web2 web3 db1 db2"),
        ("*", "web1 web2 web3 db1 db2"),
        ("web", "web1 web2 web3"),
        ("web1", "web1"),
        ("db2,web1", "web1 db2"),
        ("db:web1", "web1 db1 db2"),
        ("web*", "web1 web2 web3"),
        ("*1", "web1 db1"),
        ("web[12]", ""),  # a subscript out of range, as in Ansible
        ("web?", "web1 web2 web3"),
        ("fa*", "web1 db1"),
        ("~(web|db)2", "web2 db2"),
        ("web:!web2", "web1 web3"),
        ("!web", "db1 db2"),
        ("web:&fast", "web1"),
        ("&fast:!db", "web1"),
        ("all:!web*:&fast", "db1"),
        ("web[0]", "web1"),
        ("web[-1]", "web3"),
        ("web[0:1]", "web1 web2"),
        ("web[1:]", "web2 web3"),
        ("none*", ""),
    ],
)
def test_selects(pattern: str, names: str) -> None:
    assert [h.name for h in select(FLEET, pattern)] == names.split()


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "the host pattern is empty"),
        (" , ", "the host pattern is empty"),
        ("wbe1", "no host or group 'wbe1' in inventory.yml; did you mean 'web1'?"),
        ("web:!wbe1", "no host or group 'wbe1'"),
        ("~(", "is not a regular expression"),
    ],
)
def test_refuses(pattern: str, words: str) -> None:
    with pytest.raises(PatternError, match=words.replace("?", r"\?").replace("(", r"\(")):
        select(FLEET, pattern)
