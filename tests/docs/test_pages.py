"""Every command of the docs is typed, and what it prints is what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo import library
from tests.demo.page import kept, pieces, rewritten
from tests.demo.stage import silent

# The first one is played by tests/test_readme.py, at the same time.
_PATHS = [path for path in library.playable() if path != library.FIRST]


@pytest.mark.parametrize("path", _PATHS, ids=lambda p: str(p.relative_to(library.DOCS)))
def test_page_tells_what_happens(path: Path) -> None:
    found = library.played(path, silent)

    # If it differs for a good reason: make demo-write, and read the diff.
    difference = library.difference(path, found)
    assert not difference, difference


PAGE = """\
# A page

<!-- world: empty -->

```toml title="orch.toml"
cluster = "x"
```

```console
$ orch plan
+ one

  two

# Again
$ orch status
$ echo $?
1
```

<!-- run
$ true
-->

<!-- not run: needs a forge -->
```console
$ git push
```
"""


def test_page_is_read_as_it_is_meant() -> None:
    found = list(pieces(PAGE))

    assert "".join(p.source for p in found) == PAGE
    assert [(p.path, p.text) for p in found if p.path] == [("orch.toml", 'cluster = "x"\n')]
    assert [c.typed for p in found for c in p.shown] == ["orch plan", "orch status", "echo $?"]
    assert [c.prints for p in found for c in p.shown] == ["+ one\n\n  two\n", "", "1\n"]
    assert [c.typed for p in found if p.hidden for c in p.commands] == ["true"]
    assert [p.reason for p in found if p.reason] == ["needs a forge"]


def test_page_is_rewritten_where_outputs_differ() -> None:
    assert rewritten(PAGE, ["+ one\n\n  two\n", "", "1\n"]) == PAGE
    assert rewritten(PAGE, ["+ 1\n", "x\n", "2\n"]) == PAGE.replace(
        "+ one\n\n  two\n", "+ 1\n"
    ).replace("$ orch status\n$ echo $?\n1\n", "$ orch status\nx\n$ echo $?\n2\n")


def test_ellipsis_stands_for_any_lines() -> None:
    assert kept("a\n…\nd\n", "a\nb\nc\nd\n") == "a\n…\nd\n"
    assert kept("a\n…\n", "a\n") == "a\n…\n"
    assert kept("a\n…\nd\n", "a\nb\nc\n") == "a\nb\nc\n"
