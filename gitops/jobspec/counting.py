"""Another count in the text of a job file: what a person would write there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff

from gitops.jobspec.hcl import parse_body
from gitops.jobspec.syntax import Block, Constant, Fault, Source


def count_change(text: str, path: str, group: str, count: int) -> str:
    """Return the change of a job file that gives a group that count, as ``git apply`` takes it.

    Empty where the text has it already, does not say it as a plain number, or is no HCL.
    """
    new = with_count(text, group, count)
    if new is None:
        return ""
    before, after = (t.splitlines(keepends=True) for t in (text, new))
    return "".join(unified_diff(before, after, f"a/{path}", f"b/{path}"))


def with_count(text: str, group: str, count: int) -> str | None:
    """Return the file's text with that count for a group, None where that is not to be told."""
    try:
        body = parse_body(Source.of("", text))
    except Fault:
        return None
    found = _labelled(group, (g for job in body.blocks("job") for g in job.body.blocks("group")))
    if found is None:
        return None
    said = found.body.attribute("count")
    if said is None:
        start = found.body.span.start
        line = text.rfind("\n", 0, found.span.start) + 1
        indent = text[line : found.span.start]
        return f"{text[:start]}\n{indent}  count = {count}{text[start:]}"
    if not isinstance(said.value, Constant):
        return None
    span = said.value.span
    return f"{text[: span.start]}{count}{text[span.end :]}"


def _labelled(name: str, blocks: Iterable[Block]) -> Block | None:
    return next((b for b in blocks if [label.text for label in b.labels] == [name]), None)
