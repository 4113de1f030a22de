"""Hands a request to the run that holds its job, and waits for the answer; or does it here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gitops.asking import Asked, Asking, Way
from gitops.cli.look import Look
from gitops.cli.say import note, say, say_json
from gitops.exit_codes import FAILED
from gitops.ledger.protocol import RunHead
from gitops.session import Session
from gitops.view import status_json
from gitops.view.safe import clean
from planner.errors import ConflictError, OrchError
from planner.recorded import JobState
from planner.request import Answer, Request, Verb

# How often a job may be taken by others between a look at it and what is done then.
_TRIES = 5
_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """One request, and how its end is shown. With `detach` nobody waits for the answer."""

    ties: Session
    look: Look
    key: str
    request: Request
    detach: bool = False

    async def over(self, here: Callable[[Asked], Awaitable[int]]) -> int:
        """Have the request carried out, `here` where no run holds the job; return the exit code.

        Raises an `OrchError` where it is refused.
        """
        asking = Asking(
            ledger=self.ties.ledger,
            key=self.key,
            request=self.request,
            now=self.ties.now,
            tell=self._tell,
        )
        for left in reversed(range(_TRIES)):
            asked = await asking.asked(leaves=self.detach)
            if asked.way is Way.ANSWERED and asked.answer is not None:
                return self._answered(asked.state, asked.answer)
            if asked.way is Way.LEFT:
                return self._left(asked.state)
            try:
                return await here(asked)
            except ConflictError:
                # Where it waits, whoever was quicker answers.
                if not asked.waits or not left:
                    raise
        raise AssertionError("unreachable")

    def _tell(self, run: RunHead, again: bool) -> None:
        """Say who is to take the request in, and by when."""
        info = run.info
        who = f"the apply of {clean(info.commit)[:_SHORT]}" if info.commit else "the apply"
        who = f"{who} by {clean(info.holder)} (run {run.id[:8]})"
        if again:
            note(f"Still waiting: {who} goes on, and takes this in after the step in hand.")
            return
        waits = "" if self.detach else " Waiting for it: Ctrl-C ends the wait alone."
        note(f"Asked to {self.request.verb}: {who} drives job {self.key!r}.")
        note(f"It takes this in at its next beat, within {info.ttl / 3:.0f} s.{waits}")

    def _left(self, state: JobState) -> int:
        self._show(state, f'Deployment "{self.request.deployment}" will be {self._done()}')
        return 0

    def _answered(self, state: JobState, answer: Answer) -> int:
        if answer.refusal:
            raise OrchError(answer.refusal, "So the run that drives the deployment found.")
        self._show(state, f'Deployment "{self.request.deployment}" {self._done()}')
        # A deployment that failed as it was told to has failed all the same.
        return FAILED if self.request.verb is Verb.FAIL else 0

    def _show(self, state: JobState, text: str) -> None:
        if not self.look.json:
            say(text)
            return
        mine = (d for d in state.deployments if d.id == self.request.deployment)
        say_json(status_json.deployment_data(state, next(mine)))

    def _done(self) -> str:
        return self.request.verb.done
