"""One recorded case, replayed: its spec decoded, its state built, its job planned."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gitops.jobspec.variables import Variables
from planner.evaluate import Situation, plan_job
from planner.plan import JobPlan
from tests.oracle.inputs import Inputs
from tests.oracle.node import NodeFile
from tests.oracle.rules import Expected
from tests.oracle.specs import Loaded, loaded, variables
from tests.oracle.state import StateFile, read_state, situation

SPEC = "after.nomad.hcl"


@dataclass
class Case:
    """A folder of `cases/`. Everything is worked out when it is first asked for."""

    folder: Path
    node_file: NodeFile
    touch: Callable[[str, str], None]

    @property
    def name(self) -> str:
        return self.folder.name

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:  # noqa: ANN401 - recorded JSON
        return json.loads(self.text(name))

    def exit(self, name: str) -> int:
        return int(self.text(name))

    @cached_property
    def state(self) -> StateFile:
        return read_state(self.folder)

    @cached_property
    def variables(self) -> Variables:
        return variables(self.folder)

    @cached_property
    def spec(self) -> Loaded:
        """The spec that is planned."""
        return loaded(self.folder, SPEC, self.variables, self.node_file.cluster.places())

    @cached_property
    def situation(self) -> Situation:
        node = self.node_file.node()
        return situation(self.folder, self.state, node, self.variables)

    @cached_property
    def inputs(self) -> Inputs | None:
        """What rules look at; None where the spec is refused."""
        if self.spec.spec is None:
            return None
        return Inputs(self.spec.job, self.state, self.situation, self.node_file)

    @cached_property
    def expected(self) -> Expected:
        """What is expected of orch."""
        return Expected(self.inputs, lambda rule: self.touch(rule, self.name))

    @cached_property
    def plan(self) -> JobPlan:
        """What orch plans; raises what orch would refuse the job with."""
        return plan_job(self.spec.job, self.situation, path=SPEC)


def cases(directory: Path, node: NodeFile, touch: Callable[[str, str], None]) -> Iterator[Case]:
    """The cases of a directory, in name order; the working directory is the case's meanwhile."""
    for folder in sorted(p for p in directory.iterdir() if p.is_dir()):
        with contextlib.chdir(folder):
            yield Case(folder.resolve(), node, touch)
