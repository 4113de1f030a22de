"""Each bug that can be planted is found, by the seed that found it, and for its own reason.

Where the engine does things otherwise, seeds are other stories: find new ones by
`python -m tests.simulate -planted`.
"""

from __future__ import annotations

import pytest

from tests.simulate.planted import PLANTED
from tests.simulate.scenario import simulate

# By bug: the seed, and what is then seen.
FOUND = {
    "no write-ahead": (1, "nobody had decided it"),
    "a connection lock taken for the fence": (78, "though a run had acted under"),
    "a fence raised only on visited hosts": (78, "though a run had acted under"),
    "no nonce": (21, "two decided as index"),
    "a lost reply taken for a lost push": (27, "and holds"),
    "a name reused after its container was removed": (65, "has no container"),
    "unknown taken for empty": (58, "of which nothing was known, was replaced"),
    "a deadline that ran while nobody watched": (74, "before it was over"),
    "a revert called success": (1, "done, though its deployment failed"),
    "a ledger that went back taken for the truth": (680, "though the ledger has gone back"),
    "a replacement taken for well at once": (132, "are on the move at once"),
}


def test_every_bug_has_its_seed() -> None:
    assert set(FOUND) == set(PLANTED)


@pytest.mark.parametrize("bug", FOUND)
def test_the_bug_is_found(bug: str) -> None:
    seed, why = FOUND[bug]
    assert why in simulate(seed, PLANTED[bug]).broken


@pytest.mark.parametrize("seed", sorted({seed for seed, _ in FOUND.values()}))
def test_without_it_nothing_is(seed: int) -> None:
    assert not simulate(seed).broken
