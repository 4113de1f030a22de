"""The tutorial, held to its transcript: three docker hosts, the redis job in both of its styles."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from executors.boundary import Boundary
from tests.acceptance.harness import Done, Shop, finished
from tests.acceptance.test_races import wait_until_stopped
from tests.acceptance.transcript import Ids, Step, steps

pytestmark = pytest.mark.lab

TUTORIAL = Path(__file__).with_name("tutorial")
FILE = "example.nomad.hcl"
# Said while hosts take their time.
PATIENCE = re.compile(r"^Observed .*\n", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Reader:
    """Somebody who goes through the tutorial with a job file, in the root of the repository."""

    shop: Shop
    ids: Ids = field(default_factory=Ids)
    rollout: subprocess.Popen[str] | None = None

    def take(self, step: Step) -> None:
        """Do one step, and compare what it says."""
        command = self.ids.filled(step.command)
        if command.startswith("edit "):
            self.edit(*command.removeprefix("edit ").split(" => "))
            return
        done = self.run(shlex.split(command))
        if done is None:
            return
        assert done.code == step.code, f"{command}: exit {done.code}\n{done.out}\n{done.err}"
        try:
            self.ids.compare(step.out, done.out)
            if step.err:
                self.ids.compare(step.err, PATIENCE.sub("", done.err))
        except AssertionError as error:
            raise AssertionError(f"{command}: {error}") from None

    def run(self, words: list[str]) -> Done | None:
        """Run a command to its end; one with `&` only until its wave is placed."""
        if words == ["wait"]:
            assert self.rollout
            os.kill(self.rollout.pid, signal.SIGCONT)
            return finished(self.rollout, None)
        assert words[0] == "orch"
        if words[-1] != "&":
            return self.shop.orch(*words[1:], code=None)
        assert words[1:-1] == ["run", FILE]
        # It stands still meanwhile: nobody knows how long a look at it takes.
        file = self.shop.repo / FILE
        self.rollout = self.shop.interrupted(signal.SIGSTOP, Boundary.RECORDED, file)
        wait_until_stopped(self.rollout.pid)
        return None

    def edit(self, old: str, new: str) -> None:
        """Change the job file, and commit it."""
        path = self.shop.repo / FILE
        text = path.read_text() if path.exists() else ""
        assert old in text, old
        path.write_text(text.replace(old, new))
        self.shop.commit()


@pytest.mark.parametrize(
    ("job", "transcript"),
    [("example", "story"), ("older", "older"), ("rollouts", "rollouts")],
    ids=["today's", "older", "rollouts"],
)
def test_the_tutorial(trio: Shop, job: str, transcript: str) -> None:
    (trio.repo / FILE).write_text((TUTORIAL / f"{job}.nomad.hcl").read_text())
    trio.commit()
    reader = Reader(shop=trio)
    for step in steps((TUTORIAL / f"{transcript}.txt").read_text()):
        reader.take(step)
