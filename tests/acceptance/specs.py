"""Job files for the shop, small and quick: health times of a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Writes when it began and ended into its own directory, and ends when told to.
STAMPS = (
    "date +%s%N >$NOMAD_ALLOC_DIR/data/began; "
    "trap 'date +%s%N >$NOMAD_ALLOC_DIR/data/ended; exit 0' INT TERM; "
    'sleep 86400 & echo "$GREETING from $NOMAD_ALLOC_NAME"; wait'
)
ONE_PER_HOST = """
    constraint {
      operator = "distinct_hosts"
      value    = "true"
    }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A job with one group of one task; `group` are more lines of that block."""

    job: str = "web"
    count: int = 1
    command: Sequence[str] = ("/bin/sh", "-c", STAMPS)
    greeting: str = "hello"
    group: str = ""
    healthy_time: str = "1s"
    deadline: str = "90s"

    def hcl(self) -> str:
        """The job file's text."""
        program, *args = self.command
        words = ", ".join(quoted(a) for a in args)
        return f"""\
job "{self.job}" {{
  update {{
    max_parallel     = 1
    min_healthy_time = "{self.healthy_time}"
    healthy_deadline = "{self.deadline}"
  }}
  group "g" {{
    count = {self.count}
    {self.group}
    task "main" {{
      driver = "raw_exec"
      config {{
        command = "{program}"
        args    = [{words}]
      }}
      env {{
        GREETING = "{self.greeting}"
      }}
      resources {{
        cpu    = 20
        memory = 20
      }}
    }}
  }}
}}
"""


def quoted(text: str) -> str:
    """A string of the job language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def web(count: int = 1, *, job: str = "web", greeting: str = "hello", group: str = "") -> str:
    """A service that says hello and goes on."""
    return Service(job=job, count=count, greeting=greeting, group=group).hcl()
