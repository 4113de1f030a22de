"""Namespaces, node pools and regions that jobs name: each must be known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gitops.diagnostics import Diagnostic, did_you_mean
from gitops.jobspec.spec import LoadedSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What exists; the node pool `all` always does."""

    namespaces: tuple[str, ...] = ("default",)
    node_pools: tuple[str, ...] = ("default",)
    regions: tuple[str, ...] = ("global",)


def unknown_places(specs: Iterable[LoadedSpec], places: Places) -> Iterator[Diagnostic]:
    """Yield an error for each place that a job names and that does not exist."""
    for spec in specs:
        job = spec.job
        for setting, word, name, known in (
            ("namespaces", "namespace", job.namespace, places.namespaces),
            ("node_pools", "node pool", job.node_pool, _with_all(places.node_pools)),
            ("regions", "region", job.region, places.regions),
        ):
            if name not in known:
                summary = f'Job "{job.id}" is in {word} "{name}", which orch.toml does not list'
                hint = did_you_mean(name, known) or f"Known: {', '.join(known)}."
                detail = f"{hint}\nAdd it to '{setting}' if it is meant."
                yield replace(spec.place, summary=summary, detail=detail, severity="error")


def _with_all(pools: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*pools, "all")))
