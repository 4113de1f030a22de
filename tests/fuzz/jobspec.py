"""Fuzzes the evaluator and decoder: any text becomes a job or errors, soon and in little memory.

`python -m tests.fuzz.jobspec [-minutes N] [-seed N]` makes specs of seeds by chance, for so many
minutes of CPU. It prints each spec that ends in anything but spec errors, or takes longer or more
memory than a spec may, and ends with 1 if there was one. Seeds are the golden specs, the
expressions of the table of semantics, and what has grown out of hand before.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from gitops.diagnostics import SpecErrors
from gitops.jobspec.load import load
from gitops.jobspec.variables import Variables

JOBSPEC = Path(__file__).parents[1] / "gitops" / "jobspec"
GOLDEN, TABLE = JOBSPEC / "golden", JOBSPEC / "expressions.jsonl"
# What a hostile spec may take at most, in CPU seconds and MiB above what the imports take.
SECONDS, MEBIBYTES = 1.0, 200
PATIENCE = 20

_TOKEN = re.compile(r"\w+|\s+|\$\{|%\{|<<-?|[^\w\s]")
_WORDS = """
" { } [ ] ( ) , = . * [*] .* ${ %{ ~ - ! ? : => ... # // /* */ 1 0.5 1e99 99999 a for in if else
endif endfor \\ $ % == && || + / null true x. f( é
"""
_BITS = [*_WORDS.split(), "\n", " ", "\t", "\r\n", "\0", "\ud83d", "\u202e"]
_HEREDOC = ["<<E\n", "<<-E\n", "\nE\n", "${~", "~}", "%{ if true }", "%{ for x in y }"]
_GROWERS = [
    "[for a in range(1000) : [for b in range(1000) : a]]",
    'format("%99999s%99999s", "a", "b")',
    'join("", [for i in range(1000) : join("", [for j in range(1000) : "xxxxxxxxxx"])])',
    "setproduct(range(100), range(100), range(100))",
    "pow(10, 99999) * 1e19999",
    'parseint("' + "9" * 9999 + '", 10)',
    'regex_replace("' + "a" * 2000 + '", "(a*)*(a*)*b", "$1$1")',
    'replace("' + "a" * 2000 + '", "", "' + "b" * 2000 + '")',
    'bcrypt("x", 31)',
    'indent(99999999, "\\n\\n")',
    "jsonencode([for i in range(1000) : [for j in range(200) : j]])",
    'yamldecode("' + "[" * 300 + '")',
    'jsondecode("' + "[" * 3000 + '")',
    "1e19999 + 1e-19999",
    "distinct([for i in range(1000) : [i]])",
    "convert([for i in range(1000) : {a = [i]}], set(any))",
]


def seeds() -> list[str]:
    """Return the texts that specs are made of."""
    files = [p.read_text("utf-8") for p in sorted(GOLDEN.glob("*.nomad.hcl"))]
    table = [json.loads(line)["expr"] for line in TABLE.read_text("utf-8").splitlines()]
    return files + [in_spec(e) for e in [*table, *_GROWERS]]


def in_spec(expression: str) -> str:
    """Return a spec with an expression in it."""
    body = f'task "t" {{\ndriver = "raw_exec"\nenv {{\nV = {expression}\n}}\n}}'
    return (
        'locals {\nlist = ["b", "a"]\nmap = { x = 1 }\n}\n'
        f'job "j" {{\ngroup "g" {{\n{body}\n}}\n}}\n'
    )


def changed(text: str, chance: random.Random, others: list[str]) -> str:
    """Return a text with a few parts taken out, put in, exchanged or taken from others."""
    parts = _TOKEN.findall(text)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(parts) + 1)
        part = chance.choice((*_BITS, *_HEREDOC, *_GROWERS))
        match chance.randrange(6):
            case 0:
                del parts[at : at + chance.choice((1, 2, 5))]
            case 1:
                parts.insert(at, part)
            case 2:
                parts[at : at + 1] = [part]
            case 3:
                parts[at:at] = parts[at : at + 6] * chance.choice((1, 2, 30))
            case 4:
                other = _TOKEN.findall(chance.choice(others))
                start = chance.randrange(len(other) or 1)
                parts[at:at] = other[start : start + 8]
            case _:
                chance.shuffle(parts[at : at + 4])
    return "".join(parts)[:200_000]


def _out_of_time(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no answer after {PATIENCE} CPU seconds")


def verdict(text: str) -> str | None:
    """Return what is wrong with how a spec is answered, or None."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        load(text, path="x.nomad.hcl", variables=Variables())
    except SpecErrors as e:
        "".join(d.text() for d in e.diagnostics)
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    taken = after.ru_utime - before.ru_utime
    grown = (after.ru_maxrss - before.ru_maxrss) / 1024
    if taken > SECONDS or grown > MEBIBYTES:
        return f"took {taken:.1f} CPU seconds and {grown:.0f} MiB more"
    return None


def findings(minutes: float, seed: int) -> Iterator[tuple[str, str]]:
    """Yield specs that are not answered as they should be, and how they are answered."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    known = seeds()
    verdict("job {")  # what is wrong is left to the parser, which is built now
    for text in known:
        if wrong := verdict(text):
            yield text, wrong
    until = time.process_time() + minutes * 60
    count = 0
    while time.process_time() < until:
        count += 1
        text = changed(chance.choice(known), chance, known)
        if wrong := verdict(text):
            yield text, wrong
    sys.stderr.write(f"{count} specs\n")


def main(arguments: list[str]) -> int:
    """Run for the time that is asked for; return 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.jobspec")
    parser.add_argument("-minutes", type=float, default=10)
    parser.add_argument("-seed", type=int, default=1)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGPROF, _out_of_time)
    found = 0
    for text, wrong in findings(given.minutes, given.seed):
        found += 1
        sys.stdout.write(f"--- {text!r}\n{wrong}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{found} findings\n")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
