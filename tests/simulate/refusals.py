"""What a command says of its end, held against what is truly so."""

from __future__ import annotations

from executors.outcome import OutcomeKind
from executors.refusals import LeaseInDoubtError
from gitops.applying import Result
from gitops.ledger.errors import SealedError
from planner.errors import ConflictError, OrchError
from tests.simulate.audit import Audit, BrokenPromiseError
from tests.simulate.promises import Promises


def check_refusal(audit: Audit, promises: Promises, run: str, error: OrchError) -> None:
    """Whoever was refused holds nothing; who was told to be taken over was."""
    if not run or not isinstance(error, ConflictError):
        return
    if isinstance(error, LeaseInDoubtError):
        return  # it began, and nobody could tell it whether it holds anything still
    holds = [key for key, state in audit.recorded.jobs.items() if state.run == run]
    if not holds or promises.runs[run].touched:
        return
    if not isinstance(error, SealedError) or audit.is_open(run):
        raise BrokenPromiseError(
            f"run {run[:8]} was told {error.message!r}, and holds {', '.join(holds)}"
        )


def check_result(promises: Promises, run: str, result: Result) -> None:
    """A job whose deployment has failed is not done, whatever came after."""
    for outcome in result.outcomes:
        if outcome.kind is OutcomeKind.DONE and (run, outcome.key) in promises.failures:
            raise BrokenPromiseError(f"{outcome.key}: done, though its deployment failed")
