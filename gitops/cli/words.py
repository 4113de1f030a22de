"""All words of the command line: which function each is, and where help shows it.

The functions are named, not imported: a command loads what it needs, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A command: its name, and its function as `module:name` below `gitops.cli`.

    With `follows`, what comes after the first argument is a command with flags of its own. The
    first help does not list what is `hidden`.
    """

    name: str
    function: str
    follows: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A word that is followed by another one, and what help says of it.

    The first help does not list what is `hidden`.
    """

    name: str
    summary: str
    words: tuple[Word | Words, ...]
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Words that help shows together."""

    title: str
    words: tuple[Word | Words, ...]


def _words(name: str, summary: str, /, *groups: Words, **functions: str) -> Words:
    """Return a group of commands, and of groups behind them.

    Dashes of a name are underscores here, and one that is a keyword of Python has one behind it.
    """
    words = tuple(
        Word(
            name=n.rstrip("_").replace("_", "-"),
            function=f,
            follows=n == "exec",
            hidden=n == "version",
        )
        for n, f in functions.items()
    )
    return Words(name=name, summary=summary, words=(*words, *groups))


def _section(title: str, *groups: Words, **functions: str) -> Section:
    return Section(title=title, words=(*_words("", "", **functions).words, *groups))


SECTIONS = (
    _section(
        "Begin",
        _words(
            "completion",
            "Scripts by which shells complete commands, flags and ids.",
            bash="completion:bash",
            zsh="completion:zsh",
            fish="completion:fish",
        ),
        init="setup:init",
        dev="setup:dev",
        doctor="doctor:doctor",
        version="setup:version",
    ),
    _section(
        "Deploy",
        _words(
            "hook",
            "Hooks of Git repositories that reconcile on a push.",
            install="reconcile:install",
        ),
        validate="job:validate",
        fmt="job:fmt",
        plan="job:plan",
        show="job:show",
        apply="job:apply",
        run="job:run",
        rollback="job_verbs:rollback",
        stop="jobs:stop",
        start="jobs:start",
        reconcile="reconcile:reconcile",
    ),
    _section(
        "Look",
        status="read:status",
        logs="read:logs",
        history="read:history",
        inspect="read:inspect",
        exec="read:execute",
    ),
    _section(
        "Nomad's words",
        _words(
            "job",
            "Jobs: the words above, and more about one of them.",
            _words(
                "tag",
                "Names for versions of a job.",
                apply="job_tag:apply",
                unset="job_tag:unset",
            ),
            init="setup:job_init",
            validate="job:validate",
            plan="job:plan",
            run="job:run",
            status="jobs:status",
            allocs="jobs:allocs",
            deployments="jobs:deployments",
            history="read:history",
            inspect="read:inspect",
            stop="jobs:stop",
            start="jobs:start",
            restart="job_verbs:restart",
            revert="job_verbs:revert",
            scale="job_verbs:scale",
            scaling_events="job_verbs:scaling_events",
            promote="job_verbs:promote",
            eval="job_verbs:evaluate",
        ),
        _words(
            "alloc",
            "Allocations: look at one, and handle it.",
            status="alloc:status",
            logs="alloc:logs",
            exec="alloc:execute",
            fs="alloc:fs",
            checks="alloc:checks",
            restart="alloc:restart",
            stop="alloc:stop",
            signal="alloc:signal",
        ),
        _words(
            "deployment",
            "The rolling out of job versions.",
            list="deployment:listed",
            status="deployment:status",
            promote="deployment:promote",
            fail="deployment:fail",
            pause="deployment:pause",
            resume="deployment:resume",
            health="deployment:health",
        ),
        _words(
            "eval",
            "The planner's looks at jobs.",
            list="evaluation:listed",
            status="evaluation:status",
        ),
        _words(
            "node",
            "Hosts as the scheduler sees them.",
            status="node:status",
            drain="node:drain",
            eligibility="node:eligibility",
        ),
        _words(
            "service",
            "What runs under which name, and where.",
            list="service:listed",
            info="service:info",
        ),
        _words("system", "Keeping hosts and ledger tidy.", gc="system:gc"),
        replace(
            _words("server", "What takes the place of servers.", members="server:members"),
            hidden=True,
        ),
    ),
    _section(
        "Hosts and ledger",
        _words(
            "host",
            "What hosts lack, and making them fit.",
            trust="host:trust",
            check="host:check",
            setup="host:setup",
        ),
        _words(
            "hosts",
            "Hosts of the inventory, outside of any job.",
            list="hosts:list_",
            exec="hosts:execute",
            cp="hosts:copy",
        ),
        _words(
            "lock",
            "Runs that hold jobs.",
            status="lock:status",
            break_="lock:break_",
        ),
        _words(
            "ledger",
            "Where decisions are recorded.",
            status="ledger:status",
            check="ledger:check",
            repair="ledger:repair",
            rebuild="ledger:rebuild",
        ),
    ),
)


def every_word() -> Iterator[str]:
    """Yield all commands as they are typed after ``orch``, and the words they begin with."""
    for section in SECTIONS:
        yield from (name for name, _ in named(section.words))


def named(words: tuple[Word | Words, ...], before: str = "") -> Iterator[tuple[str, Word | Words]]:
    """Yield words with what is typed for each, those that groups lead to after their groups."""
    for word in words:
        yield before + word.name, word
        if isinstance(word, Words):
            yield from named(word.words, f"{before}{word.name} ")
