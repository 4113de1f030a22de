"""Expands ``dynamic`` blocks: one block for each item of a collection. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.jobspec.expressions import evaluate
from gitops.jobspec.scope import Scope
from gitops.jobspec.syntax import Block, Fault, Label, Name
from gitops.jobspec.values import ValueFault, entries, text

_KNOWN = frozenset({"for_each", "iterator", "labels"})


def expanded(block: Block, scope: Scope) -> Iterator[tuple[Block, Scope]]:
    """Yield the blocks that a dynamic block stands for, each with its scope; raises `Fault`."""
    kind, content = _check(block)
    for_each = block.body.attribute("for_each")
    if for_each is None:
        raise Fault(block.span, '"for_each" is missing', "Say what the block is repeated for.")
    try:
        pairs = list(entries(evaluate(for_each.value, scope)))
    except ValueFault as e:
        raise Fault(for_each.value.span, "Not a collection", f"{e}.") from None
    scope.budget.take(len(pairs), for_each.value.span)
    name = _iterator(block, kind.text)
    for key, value in pairs:
        inner = scope.with_values({name: {"key": key, "value": value}})
        labels = _labels(block, inner)
        yield Block(kind.text, labels, content.body, kind.span, kind.span), inner


def _check(block: Block) -> tuple[Label, Block]:
    if len(block.labels) != 1:
        raise Fault(block.span, "Invalid dynamic block", 'Write dynamic "block" { … }.')
    unknown = next((a for a in block.body.attributes() if a.name not in _KNOWN), None)
    if unknown is not None:
        detail = "Known are for_each, iterator, labels, and the block content."
        raise Fault(unknown.name_span, f'Unknown argument "{unknown.name}" in dynamic', detail)
    contents = list(block.body.blocks())
    if len(contents) != 1 or contents[0].type != "content":
        raise Fault(block.span, "Invalid dynamic block", "It holds one block, content { … }.")
    return block.labels[0], contents[0]


def _iterator(block: Block, default: str) -> str:
    given = block.body.attribute("iterator")
    if given is None:
        return default
    if not isinstance(given.value, Name):
        raise Fault(given.value.span, "Invalid iterator", "Write a name without quotes.")
    return given.value.name


def _labels(block: Block, scope: Scope) -> tuple[Label, ...]:
    given = block.body.attribute("labels")
    if given is None:
        return ()
    value = evaluate(given.value, scope)
    if not isinstance(value, tuple):
        raise Fault(given.value.span, "Invalid labels", "A list of strings is required.")
    try:
        return tuple(Label(text(v), given.value.span) for v in value)
    except ValueFault as e:
        raise Fault(given.value.span, "Invalid labels", f"{e}.") from None
