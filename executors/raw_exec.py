"""The driver raw_exec: a plain process of the host, without isolation. Starts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from executors.config_keys import key_problems
from executors.config_tables import RAW_EXEC
from executors.driver import ConfigError, TaskContext, TaskLaunch
from executors.interpolation import unknown_references, with_values


class RawExec:
    """Runs ``command`` with ``args`` in the task's directory, or in ``work_dir``."""

    name = "raw_exec"

    def validate(self, config: Mapping[str, object]) -> tuple[str, ...]:
        """Return what is wrong with the config, one sentence each."""
        return tuple(p.text for p in key_problems(RAW_EXEC, config))

    def prepare(self, context: TaskContext) -> TaskLaunch:
        """Return the command; relative ones are looked for in the task's directories first."""
        config = context.config
        problems = self.validate(config) or _unresolved(config, context.values)
        if problems:
            text = "; ".join(problems)
            raise ConfigError(f"task {context.name!r}: failed to parse config: {text}")
        words = (str(config["command"]), *(_words(config.get("args")) or ()))
        work_dir = with_values(str(config.get("work_dir") or ""), context.values)
        return TaskLaunch(
            argv=tuple(with_values(w, context.values) for w in words),
            env=context.env,
            cwd=work_dir or context.task_dir,
            search=(f"{context.task_dir}/local", context.task_dir),
            user=context.user,
        )


def _unresolved(config: Mapping[str, object], values: Mapping[str, str]) -> tuple[str, ...]:
    words = [str(config["command"]), *(_words(config.get("args")) or ())]
    words.append(str(config.get("work_dir") or ""))
    names = [name for word in words for name in unknown_references(word, values)]
    return tuple(f'unknown variable "{n}"' for n in dict.fromkeys(names))


def _words(value: object) -> tuple[str, ...] | None:
    """A list as words: numbers and booleans as the job language writes them."""
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return None
    items = cast("Sequence[object]", value)
    if not all(isinstance(i, str | int | float) for i in items):
        return None
    return tuple(str(i).lower() if isinstance(i, bool) else str(i) for i in items)
