"""The repository's hooks around one apply: what they get, and what their ends mean."""

from __future__ import annotations

import json

from gitops.applying import Result
from gitops.cli.say import note
from gitops.exit_codes import INTERRUPTED
from gitops.jobspec import marks
from gitops.repository_hooks import Hook, Hooks
from gitops.view import plan_json
from planner.errors import OrchError
from planner.plan import Plan


async def before(hooks: Hooks | None, made: Plan) -> None:
    """Run `pre-apply`; raise an `OrchError` where it does not let the plan be applied."""
    if hooks is None:
        return
    code = await hooks.run(Hook.PRE_APPLY, _text(plan_json.data(made)))
    if code != 0:
        raise OrchError(
            f"hooks/pre-apply does not let this be applied (exit code {code}); nothing was touched",
            "What it wants is said above; -no-hooks goes on without it.",
        )


async def after(hooks: Hooks | None, made: Plan, result: Result, code: int) -> None:
    """Run `post-apply`, or `on-failure` where not all is done; their own failure is only told."""
    if hooks is None or code == INTERRUPTED:
        return
    hook = Hook.ON_FAILURE if code else Hook.POST_APPLY
    text = _text(plan_json.done(made, result.outcomes))
    try:
        ended = await hooks.run(hook, text, ORCH_EXIT_CODE=str(code))
    except OrchError as e:
        note(f"{e.message}; what was applied stays applied")
        return
    if ended:
        note(f"hooks/{hook}: exit code {ended}; what was applied stays applied")


def _text(data: object) -> str:
    return marks.shown(json.dumps(data))
