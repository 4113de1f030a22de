"""`python -m tests.simulate -seeds N [-seed S]`: play N seeds, from S on; exit 1 on a failure."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulate.planted import PLANTED
from tests.simulate.scenario import simulate


def main(arguments: list[str]) -> int:
    given = _parsed(arguments)
    seeds = range(given.seed, given.seed + given.seeds)
    if given.planted:
        return _planted(seeds)
    with TemporaryDirectory() as place:
        return _played(seeds, told=given.v, git=Path(place) if given.git else None)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", allow_abbrev=False)
    parser.add_argument("-seeds", type=int, default=100, help="how many to play")
    parser.add_argument("-seed", type=int, default=1, help="the first of them")
    parser.add_argument("-v", action="store_true", help="tell the story of each of them")
    parser.add_argument("-git", action="store_true", help="keep the ledgers in real repositories")
    parser.add_argument(
        "-planted", action="store_true", help="plant each known bug, and say which seeds find it"
    )
    return parser.parse_args(arguments)


def _played(seeds: range, *, told: bool, git: Path | None) -> int:
    failed = 0
    for seed in seeds:
        end = simulate(seed, git=git / str(seed) if git else None)
        failed += bool(end.broken)
        if end.broken or told:
            print("\n".join((f"seed {seed}", *end.story)))
            print(f"seed {seed}: {end.broken or 'passed'}\n", flush=True)
    print(f"{len(seeds) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _planted(seeds: range) -> int:
    """Look for up to three seeds that find each bug, and pass without it."""
    missed = 0
    for name, variant in PLANTED.items():
        found: list[int] = []
        for seed in seeds:
            if simulate(seed, variant).broken and not simulate(seed).broken:
                found.append(seed)
            if len(found) == 3:
                break
        missed += not found
        print(f"{name}: {', '.join(map(str, found)) or 'not found'}", flush=True)
    print(f"{len(PLANTED) - missed} found, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
