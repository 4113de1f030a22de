"""What is given to job specs from outside. Values only; `names` puts them to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ENVIRONMENT_PREFIXES = ("NOMAD_VAR_", "ORCH_VAR_")


def _no_environment() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Variables:
    """``-var`` pairs, variable files (path, text), and the environment.

    Precedence, low to high: default, environment, files in order, flags in order. Where it is
    not `strict`, values for variables that no spec declares are warnings.
    """

    flags: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=_no_environment)
    strict: bool = True
