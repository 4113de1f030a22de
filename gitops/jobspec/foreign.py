"""Functions that other programs with this language have, and what does it here."""

from __future__ import annotations

REPLACED = {
    "tostring": "Write convert(value, string).",
    "tonumber": "Write convert(value, number).",
    "tobool": "Write convert(value, bool).",
    "tolist": "Write convert(value, list(any)).",
    "toset": "Write convert(value, set(any)).",
    "tomap": "Write convert(value, map(any)).",
    "regex": "Only regex_replace is offered.",
    "regexall": "Only regex_replace is offered.",
    "templatefile": "Only file is offered; heredocs are templates.",
    "env": "Declare a variable and set NOMAD_VAR_name.",
    "sum": "Only min and max take many numbers.",
    "startswith": "Compare trimprefix(value, prefix) with the value.",
    "endswith": "Compare trimsuffix(value, suffix) with the value.",
    "not": 'Write "!".',
}
