"""Loads specs, taking from a directory what was evaluated before, and the parser's tables.

Everything there may be missing, stale or broken at any time: then the work is done again. An entry
goes by all that its job was made from: the evaluator, the file's path and content, the variables
that it can know of, and the files that its expressions have read.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gitops.jobspec.evaluator import evaluator
from gitops.jobspec.files import FolderOf, no_folder
from gitops.jobspec.kept import Kept
from gitops.jobspec.spec import LoadedSpec, Outcome
from gitops.jobspec.variables import ENVIRONMENT_PREFIXES, Variables


def _unreadable(_: str) -> None:
    return None


def _anything(_: LoadedSpec) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Cache:
    """Where specs are kept.

    `digest_of` tells what is in a file that an expression reads, `folder_of` where it reads it.
    What is not for it to keep, by `keeps`, is evaluated each time; `rules` say by what rules.
    """

    directory: Path
    digest_of: Callable[[str], str | None] = _unreadable
    keeps: Callable[[LoadedSpec], bool] = _anything
    rules: str = ""
    folder_of: FolderOf = no_folder


def load_all(
    files: Mapping[str, str], variables: Variables, cache: Cache
) -> tuple[LoadedSpec, ...]:
    """Do as `gitops.jobspec.load.load_all`, taking from `cache` what was evaluated before."""
    kept = Kept(cache.directory)
    given = _from_files(variables, kept)
    keys = {path: key_of(path, text, variables, given, cache.rules) for path, text in files.items()}
    with _uncollected():
        known = _known(kept, keys, cache) if kept.is_private else {}
    specs = tuple(known.values())
    if len(specs) == len(files) and not (variables.files or variables.flags) and _unique(specs):
        return specs
    return _loaded(files, variables, known, (cache, keys))


@contextmanager
def _uncollected() -> Generator[None]:
    """Let nobody look for garbage: of thousands of values that are read, all are kept."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _known(kept: Kept, keys: Mapping[str, str], cache: Cache) -> dict[str, LoadedSpec]:
    found = ((path, kept.read(key)) for path, key in keys.items())
    return {
        path: spec
        for path, spec in found
        if spec and all(cache.digest_of(r.path) == r.digest for r in spec.reads)
    }


def _loaded(
    files: Mapping[str, str],
    variables: Variables,
    known: Mapping[str, LoadedSpec],
    entries: tuple[Cache, Mapping[str, str]],
) -> tuple[LoadedSpec, ...]:
    # Only now: the evaluator is not needed where everything is known.
    from gitops.jobspec.given import given_values
    from gitops.jobspec.load import combined, outcome
    from gitops.jobspec.syntax import Source

    cache, keys = entries
    kept = Kept(cache.directory)
    kept.prepare(len(files) - len(known))
    writes = kept.is_private
    use_grammar(kept.directory)
    given = given_values(variables)
    outcomes: list[Outcome] = []
    for path, text in files.items():
        spec = known.get(path)
        if spec is not None:
            outcomes.append(Outcome(spec, (), spec.declared))
            continue
        folder = cache.folder_of(path)
        found = outcome(Source.of(path, text), variables, given, folder)
        if writes and found.spec is not None and _is_to_keep(found.spec, cache):
            kept.write(keys[path], found.spec)
        outcomes.append(found)
    return combined(outcomes, given, strict=variables.strict)


def _is_to_keep(spec: LoadedSpec, cache: Cache) -> bool:
    """Whether a spec comes out the same again, and holds nothing that is no matter for a disk."""
    return spec.repeats and not spec.sensitive and not spec.secrets and cache.keeps(spec)


def _unique(specs: tuple[LoadedSpec, ...]) -> bool:
    return len({(s.job.namespace, s.job.id) for s in specs}) == len(specs)


def _from_files(variables: Variables, kept: Kept) -> Mapping[str, object]:
    """Return the values that variable files give."""
    if not variables.files:
        return {}
    from gitops.jobspec.given import given_values

    use_grammar(kept.directory)
    only = Variables(files=variables.files)
    return {name: repr(given.value) for name, given in given_values(only).values.items()}


def key_of(
    path: str,
    text: str,
    variables: Variables,
    from_files: Mapping[str, object] = MappingProxyType({}),
    rules: str = "",
) -> str:
    """Return the name of an entry.

    Of what is given from outside those values count whose names the text holds. A name that is
    written with an escape can't be found there, so then all of them do.
    """
    everything = "\\u" in text.lower()
    environment = [
        (k, v)
        for k, v in sorted(variables.environment.items())
        for p in ENVIRONMENT_PREFIXES
        if k.startswith(p) and (everything or k.removeprefix(p) in text)
    ]
    files = [(k, v) for k, v in sorted(from_files.items()) if everything or k in text]
    flags = [(k, v) for k, v in variables.flags if everything or k in text]
    given = json.dumps([evaluator(), rules, path, flags, files, environment])
    total = hashlib.sha256(given.encode("utf-8", "surrogatepass") + b"\n")
    total.update(text.encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def use_grammar(directory: Path) -> None:
    """Keep the parser's tables in `directory`, made where it is missing, or do without.

    Reading them can run code, so nobody else may be able to write there.
    """
    from gitops.jobspec.hcl import use_grammar_cache

    with suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if Kept(directory).is_private:
            use_grammar_cache(str(directory / "grammar.bin"))
