"""What is there when a page begins, by the name that the page gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager

import yaml

from tests.demo.stage import silent, stage
from tests.demo.terminal import Terminal

Out = Callable[[str], None]
World = Callable[[Out], AbstractContextManager[Terminal]]

_REPOSITORY = (
    "git init -q -b main hello && cd hello && orch init",
    "git add . && git commit -qm 'First job'",
)
_HOST = "export ORCH_INVENTORY=$PWD/.orch/dev/inventory.yml"


@contextmanager
def empty(out: Out) -> Generator[Terminal, None, None]:
    """A home with nothing in it."""
    with stage(out) as terminal:
        yield terminal


@contextmanager
def hello(out: Out) -> Generator[Terminal, None, None]:
    """In a repository that `orch init` has made and that is committed; an embedded host is up."""
    with stage(silent) as terminal:
        for command in _REPOSITORY:
            _done(terminal, command)
        terminal.start("orch dev &", "Interrupt")
        _done(terminal, _HOST)
        terminal.out = out
        yield terminal


@contextmanager
def two(out: Out) -> Generator[Terminal, None, None]:
    """As `hello`, with two embedded hosts, `web1` and `web2`, in one inventory."""
    with stage(silent) as terminal:
        for command in _REPOSITORY:
            _done(terminal, command)
        home = terminal.cwd / ".orch"
        entries: dict[str, object] = {}
        for name in ("web1", "web2"):
            terminal.start(f"orch dev -dir .orch/{name} &", "Interrupt")
            found = yaml.safe_load((home / name / "inventory.yml").read_text())
            entries[name] = found["all"]["hosts"]["dev"]
        # What JSON says YAML says, too.
        (home / "inventory.yml").write_text(json.dumps({"all": {"hosts": entries}}))
        _done(terminal, "export ORCH_INVENTORY=$PWD/.orch/inventory.yml")
        terminal.out = out
        yield terminal


def _done(terminal: Terminal, command: str) -> None:
    code, text = terminal.run(command)
    if code:
        raise RuntimeError(f"{command}: exit code {code}\n{text}")


WORLDS: Mapping[str, World] = {"empty": empty, "hello": hello, "two": two}
