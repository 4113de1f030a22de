"""What is there when a page begins, by the name that the page gives it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager

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


def _done(terminal: Terminal, command: str) -> None:
    code, text = terminal.run(command)
    if code:
        raise RuntimeError(f"{command}: exit code {code}\n{text}")


WORLDS: Mapping[str, World] = {"empty": empty, "hello": hello}
