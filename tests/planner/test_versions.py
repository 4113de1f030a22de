from __future__ import annotations

import pytest

from planner.versions import parsed_version, version_matches

LOOSE = [
    ("1.2.3", ">= 1.2", True),
    ("1.2.3", "1.2.3", True),
    ("v1.2", "= 1.2.0", True),
    ("1.2.3", "!= 1.2.3", False),
    ("1.2.3", "> 1.2.3", False),
    ("1.2.3", "< 1.10", True),
    ("1.2.3", "<= 1.2.2", False),
    ("1.2.3", ">= 1.0, < 2.0", True),
    ("2.0.0", ">= 1.0, < 2.0", False),
    ("1.2.9", "~> 1.2.3", True),
    ("1.3.0", "~> 1.2.3", False),
    ("1.9.0", "~> 1.2", True),
    ("2.0.0", "~> 1.2", False),
    ("1.2.2", "~> 1.2.3", False),
    ("1.3.0-beta1", ">= 1.2.0", False),
    ("1.3.0-beta1", ">= 1.3.0-alpha", True),
    ("1.3.1-beta1", ">= 1.3.0-alpha", False),
    ("1.3.0-beta1", "= 1.3.0-beta1", True),
    ("1.3.0", ">= 1.3.0-beta1", True),
    ("1.3.0+build.5", "1.3.0", True),
    ("1.2rc1", ">= 1.1", False),
    ("1.2rc1", ">= 1.2-beta", True),
    ("1.2.3", "~> 1.2.0-beta", False),
    ("1.2.0-rc1", "~> 1.2.0-beta", True),
    ("no version", ">= 1.0", False),
    ("1.0", ">= nonsense", False),
    ("1.0", ">= 1.0 or so", False),
]
STRICT = [
    ("1.3.0-beta1", ">= 1.2.0", True),
    ("1.3.0-beta.11", "> 1.3.0-beta.2", True),
    ("1.3.0-beta", "> 1.3.0-5", True),
    ("1.3.0", "> 1.3.0-rc1", True),
    ("1.3.0", "~> 1.2", False),
    ("1.3.0rc1", ">= 1.0", False),
]


@pytest.mark.parametrize(("version", "conditions", "expected"), LOOSE)
def test_loose_versions(version: str, conditions: str, expected: bool) -> None:
    assert version_matches(version, conditions, strict=False) is expected


@pytest.mark.parametrize(("version", "conditions", "expected"), STRICT)
def test_semantic_versions(version: str, conditions: str, expected: bool) -> None:
    assert version_matches(version, conditions, strict=True) is expected


def test_a_version_that_is_too_long_is_none() -> None:
    assert parsed_version("1" * 50) is None
