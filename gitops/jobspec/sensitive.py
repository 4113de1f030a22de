"""Where sensitive values may stand in a job, and how marks come to stand for them. Pure.

A value is sensitive as a whole if its expression has used a sensitive variable, however it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from gitops.jobspec.marks import Marks
from gitops.jobspec.syntax import Fault, Span

HIDDEN = "What is wrong with it is not told: it comes from a sensitive variable."
# What plans and schedulers never have to show or to compare in the clear.
_MAY_HIDE = frozenset(
    {
        "Actions",
        "Artifacts",
        "CSIPluginConfig",
        "Config",
        "Connect",
        "Consul",
        "Env",
        "Identities",
        "Identity",
        "Meta",
        "Secrets",
        "Services",
        "Templates",
        "Vault",
    }
)
# Names by which things are found, in there too.
_NEVER = frozenset({"ID", "Name", "PortLabel", "Provider", "image", "TaskName"})

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Hider:
    """Puts marks into the data of one spec; `inherited` counts the sensitive blocks around."""

    marks: Marks = field(default_factory=Marks)
    inherited: int = 0

    def hidden(self, value: object, path: Path, span: Span, *, keys: bool = True) -> object:
        """Return data with marks for all of it; raises `Fault` where it has to be seen."""
        if value is None:
            return None
        in_sight = not _MAY_HIDE.intersection(p for p in path if isinstance(p, str))
        if in_sight or path[-1] in _NEVER or isinstance(value, bool | int | float):
            detail = "It decides where and how a task runs, so plans show it. Use another variable."
            raise Fault(span, "A sensitive value can't be used here", detail)
        return self.marks.of(value, keys=keys)

    def hidden_below(self, data: Any, inside: Path, path: Path, span: Span) -> object:  # noqa: ANN401
        """Do as `hidden` with what lies at `inside` of the data at `path`, in all of a list."""
        if isinstance(data, list | tuple):
            items = cast("list[object]", data)
            return [self.hidden_below(item, inside, path, span) for item in items]
        if not inside or not isinstance(data, Mapping):
            return self._free(data, (*path, *inside), span)
        found = cast("Mapping[str, object]", data)
        if inside[0] not in found:  # the labels of a block
            return {k: self.hidden_below(v, inside, path, span) for k, v in found.items()}
        rest, here = inside[1:], (*path, inside[0])
        return {
            k: (self.hidden_below(v, rest, here, span) if rest else self._free(v, here, span))
            if k == inside[0]
            else v
            for k, v in found.items()
        }

    def _free(self, value: object, path: Path, span: Span) -> object:
        """Hide what has no type of its own: numbers and bools can be marks too."""
        self.hidden("", path, span)
        return self.marks.of(value)
