"""Job specs in JSON, as the API has them: ``{"Job": {…}}`` or the job alone. Evaluates nothing."""

from __future__ import annotations

from json import JSONDecodeError
from typing import cast

from gitops.jobspec.decode import Path
from gitops.jobspec.json_value import read_value
from gitops.jobspec.syntax import Fault, Source, Span
from gitops.jobspec.values import ValueFault, plain


def parse_json_spec(source: Source) -> tuple[dict[str, object], dict[Path, Span]]:
    """Return the job data of a JSON spec, and the place of the whole; raises `Fault`."""
    try:
        value = read_value(source.text.lstrip("\ufeff"))
    except ValueFault as e:
        at = e.__context__.pos if isinstance(e.__context__, JSONDecodeError) else None
        span = None if at is None else Span(at, at + 1)
        raise Fault(span, "This spec cannot be read", f"{e}.") from None
    if isinstance(value, dict) and isinstance(value.get("Job"), dict):
        value = value["Job"]
    if not isinstance(value, dict):
        raise Fault(None, "A job is expected", 'Write {"Job": {"ID": …}}.')
    if "ID" not in value and "Name" not in value:
        detail = 'A JSON spec has the API\'s names: {"Job": {"ID": "name", "TaskGroups": [ … ]}}.'
        raise Fault(None, "The job has no ID", detail)
    try:
        return cast("dict[str, object]", plain(value)), {(): Span(0, 1)}
    except ValueFault as e:
        raise Fault(None, "The job is too large", f"{e}.") from None
