"""Tries out whether a place can carry a ledger: read, create, append, refuse a conflict, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from gitops.ledger import layout
from gitops.ledger.errors import LedgerError
from gitops.ledger.journal import RunInfo
from gitops.ledger.ref_run import Journals, RefRun
from gitops.ledger.store import Store
from gitops.ledger.surroundings import Surroundings
from planner.errors import OrchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing that was tried; `error` says what failed, and what to do about it."""

    name: str
    error: OrchError | None = None
    tried: bool = True

    @property
    def passed(self) -> bool:
        """Whether it was tried and went well."""
        return self.tried and self.error is None


def probe(store: Store, journals: Journals, surroundings: Surroundings) -> None:
    """Try everything on a journal of its own. Raises the `OrchError` of what failed first."""
    for trial in trials(store, journals, surroundings):
        if trial.error is not None:
            raise trial.error


def trials(store: Store, journals: Journals, surroundings: Surroundings) -> Iterator[Trial]:
    """Try one thing after the other on a journal of its own, and remove it whatever happens."""
    info = RunInfo(id=f"check-{surroundings.nonce()[:16]}", holder=surroundings.who)
    course = _Course(store=store, journals=journals, info=info)
    failed = False
    for name, step in course.steps.items():
        error = None if failed else _error(step)
        yield Trial(name=name, error=error, tried=not failed)
        failed = failed or error is not None
    if failed:
        course.clean()


def _error(step: Callable[[], None]) -> OrchError | None:
    try:
        step()
    except OrchError as e:
        return e
    return None


@dataclass(slots=True, kw_only=True)
class _Course:
    store: Store
    journals: Journals
    info: RunInfo
    run: RefRun | None = None
    first: str = ""
    steps: dict[str, Callable[[], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = {
            "read": self._read,
            "create a ref": self._create,
            "move a ref": self._append,
            "refuse a conflict": self._conflict,
            "delete a ref": self._delete,
        }

    @property
    def ref(self) -> str:
        return layout.run_ref(self.info.id)

    def clean(self) -> None:
        """Remove what may have been made."""
        with suppress(OrchError):
            if head := self.store.heads().get(self.ref, ""):
                self.store.swap(self.ref, head, "")

    def _read(self) -> None:
        self.store.heads()

    def _create(self) -> None:
        self.run = self.journals.open(self.info)
        self.first = self.store.heads().get(self.ref, "")
        if not self.first:
            raise self._failed("a ref that was created is not there")

    def _append(self) -> None:
        if self.run is not None:
            self.run.beat()

    def _conflict(self) -> None:
        second = self.store.heads().get(self.ref, "")
        conflicts = [self.store.swap(self.ref, old, self.first).done for old in ("", self.first)]
        if any(conflicts) or self.store.heads().get(self.ref, "") != second:
            raise self._failed("it lets a write pass that expects another state")

    def _delete(self) -> None:
        if self.run is not None:
            self.run.close()
        if self.ref in self.store.heads():
            raise self._failed("a ref that was removed is still there")

    def _failed(self, reason: str) -> LedgerError:
        return LedgerError(
            f"{self.store.name} can't carry a ledger: {reason}",
            "use another place: `[ledger] url` in orch.toml",
        )
