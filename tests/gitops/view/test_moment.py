"""Times as text, whatever a host says that the time is."""

from __future__ import annotations

import pytest

from gitops.view.moment import NEVER, timestamp


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, NEVER),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, "@253402300800"),
        (10**18, "@1000000000000000000"),
        (10**19 - 1, "@9999999999999999999"),
        (1 - 10**19, "@-9999999999999999999"),
    ],
)
def test_no_time_breaks_it(seconds: int, shown: str) -> None:
    assert timestamp(seconds * 1_000_000_000) == shown
