"""What the getting-started story does, step by step, and what each step has to show."""

from __future__ import annotations

from dataclasses import dataclass

_SPEC = "jobs/example.nomad.hcl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command, as it is typed. `says` is told before it; it must exit with `code`.

    INDEX in it is the index that the last `orch plan` has shown. `shows` has to be in its output.
    With `waits_for`, it runs in the background until the end, and the story goes on when that text
    came. `touches` is false for what must change nothing.
    """

    command: str
    says: str = ""
    code: int = 0
    shows: tuple[str, ...] = ()
    waits_for: str = ""
    touches: bool = True


STORY = (
    Step(
        says="A Git repository, with a job in it",
        command="git init -q hello && cd hello && orch init",
        shows=("wrote jobs/example.nomad.hcl",),
    ),
    Step(command=f"cat {_SPEC}", shows=('job "example"', "count = 1")),
    Step(command="git add . && git commit -qm 'First job'"),
    Step(
        says="A host: one inside a process here; yours go into inventory.yml",
        command="orch dev &",
        waits_for="Interrupt (Ctrl-C)",
    ),
    Step(command="export ORCH_INVENTORY=$PWD/.orch/dev/inventory.yml"),
    Step(command="orch node status", shows=("ready",)),
    Step(
        says="See what would happen; nothing is changed",
        command="orch plan",
        shows=("(1 create)", "orch run -check-index 0 "),
        touches=False,
    ),
    Step(
        says="Make it so",
        command="orch apply -auto-approve",
        shows=("Deployment completed successfully", "1 of 1 jobs done"),
    ),
    Step(command="orch status example", shows=("= running", "successful")),
    Step(command="orch logs example", shows=("hello from port",)),
    Step(
        says="Three instead of one: the running one stays, it is only told",
        command=f"sed -i 's/count = 1/count = 3/' {_SPEC} && git commit -qam 'Three of them'",
    ),
    Step(
        command="orch plan",
        shows=("(2 create, 1 in-place update)", "orch run -check-index "),
        touches=False,
    ),
    Step(
        command=f"orch run -check-index INDEX {_SPEC}", shows=("Deployment completed successfully",)
    ),
    Step(
        says="Another change, by somebody whose plan is older than that: refused",
        command=f"sed -i 's/\"hello\"/\"good day\"/' {_SPEC} && git commit -qam 'Be polite'",
    ),
    Step(
        command=f"orch run -check-index INDEX {_SPEC}",
        code=3,
        shows=("conflicting job modify index", "Job not updated"),
        touches=False,
    ),
    Step(
        says="So plan again: one at a time is replaced, each when the last one is healthy",
        command="orch plan",
        shows=("(1 create/destroy update, 2 ignore)", "orch run -check-index "),
        touches=False,
    ),
    Step(
        command=f"orch run -check-index INDEX {_SPEC}", shows=("Deployment completed successfully",)
    ),
    Step(command="orch logs example", shows=("example.web[2]", "good day from port")),
    Step(
        says="Nothing is left to do (exit code 2 would say that there is)",
        command="orch plan -detailed-exitcode",
        shows=("(3 ignore)", "No changes."),
        touches=False,
    ),
    Step(
        says="What was run, when, from which commit",
        command="orch history -p example",
        shows=("Version     = 2", '"hello" => "good day"'),
    ),
    Step(
        says="Stop it, and run it again",
        command="orch stop -yes example",
        shows=("(3 destroy)",),
    ),
    Step(command="orch status", shows=("dead (stopped)",)),
    Step(command=f"orch run {_SPEC}", shows=("(3 create)", "Deployment completed successfully")),
    Step(command="orch status", shows=("running",)),
    Step(says="Tidy up", command="orch stop -yes -purge example", shows=("(3 destroy)",)),
)

EPILOGUE = """\
Where to go next:
  on your own        mkdir hello && cd hello && git init && orch init   (.venv/bin has orch)
  real hosts         put them into inventory.yml: docs/configuration.md
  the job language   docs/jobspec.md
  how it works       docs/architecture.md, docs/guarantees.md
  you know Nomad     docs/differences.md
"""
