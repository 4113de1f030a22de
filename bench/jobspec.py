"""What job specs cost: reading a thousand of them, one of a hundred lines, and `orch validate`.

The specs are made here: each is a service of two groups with variables, locals, a template, checks
and references that only run time knows; every tenth has none of them, and is short. `cold` reads
each file anew, `cached` all of them again from what was kept: all that `orch plan` does to
turn files into jobs, imports included; git's own processes are not counted. `single` is the
evaluation of one file in memory. The parser's tables are kept throughout. Each figure is the median
of some runs; CPU is user and system time. Exit code 1 if a budget is missed.
"""

from __future__ import annotations

import compileall
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

RUNS = int(os.environ.get("RUNS", "3"))
FILES = 1000
# CPU seconds.
COLD, CACHED, SINGLE, VALIDATE = 8.0, 0.5, 0.015, 0.6
ORCH = str(Path(sys.executable).parent / "orch")

SHORT = """\
job "small-{n}" {{
  group "g" {{
    task "t" {{
      driver = "raw_exec"
      config {{
        command = "/bin/sleep"
        args    = ["{n}"]
      }}
    }}
  }}
}}
"""

# A hundred lines, as they are written by people.
LONG = """\
# Serves the shop's pages; {n} of many.
variable "image_tag" {{
  type    = string
  default = "1.{n}.0"
}}

variable "datacenters" {{
  type    = list(string)
  default = ["dc1", "dc2"]
}}

locals {{
  image = "registry.example.com/shop/web:${{var.image_tag}}"
  tags  = [for d in var.datacenters : "zone-${{upper(d)}}"]
}}

job "web-{n}" {{
  datacenters = var.datacenters
  type        = "service"
  priority    = 60

  constraint {{
    attribute = "${{attr.kernel.name}}"
    value     = "linux"
  }}

  update {{
    max_parallel     = 2
    min_healthy_time = "10s"
    healthy_deadline = "3m"
  }}

  group "web" {{
    count = 3

    network {{
      port "http" {{
        to = 8080
      }}
      port "metrics" {{}}
    }}

    service {{
      name     = "web-{n}"
      port     = "http"
      provider = "nomad"
      tags     = local.tags
      check {{
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }}
    }}

    task "server" {{
      driver = "docker"

      config {{
        image = local.image
        ports = ["http", "metrics"]
        args  = ["-listen", ":${{NOMAD_PORT_http}}", "-node", "${{node.unique.name}}"]
      }}

      env {{
        GREETING = "hello from {n}"
        LEVEL    = "info"
        REGION   = "${{NOMAD_REGION}}"
      }}

      template {{
        destination = "local/app.conf"
        change_mode = "restart"
        data        = <<-EOT
          listen = "{{{{ env "NOMAD_ADDR_http" }}}}"
          tag    = "${{var.image_tag}}"
          zones  = "${{join(",", var.datacenters)}}"
        EOT
      }}

      resources {{
        cpu    = 200
        memory = 256
      }}
    }}
  }}

  group "worker" {{
    task "worker" {{
      driver = "docker"
      config {{
        image   = local.image
        command = "worker"
      }}
      resources {{
        cpu    = 100
        memory = 128
      }}
    }}
  }}
}}
"""

SPENT = """
import os, resource, sys
from pathlib import Path

def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

"""
# What `orch plan` does to turn all files into jobs, imports included.
READ = """
begin = spent()
from gitops.request import SpecRequest
from gitops.specs import read_specs
from gitops.workspace import open_workspace

loaded = read_specs(open_workspace(Path.cwd(), os.environ), SpecRequest()).loaded
if len(loaded) != int(os.environ["FILES"]):
    raise SystemExit(f"{len(loaded)} jobs were read")
print(spent() - begin)
"""
# One file after another one, for which all was imported.
SINGLE_SPEC = """
from gitops.jobspec.cache import use_grammar
from gitops.jobspec.load import load
from gitops.jobspec.variables import Variables

use_grammar(Path(os.environ["XDG_CACHE_HOME"]) / "orch" / "specs")
one, two = (Path(p).read_text() for p in ("jobs/0001.nomad.hcl", "jobs/0002.nomad.hcl"))
load(one, path="one", variables=Variables())
begin = spent()
load(two, path="two", variables=Variables())
print(spent() - begin)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure and its budget, in CPU seconds."""

    name: str
    cpu: float
    budget: float

    @property
    def missed(self) -> bool:
        """Whether it cost more than it may."""
        return self.cpu > self.budget

    def text(self) -> str:
        """The row of the table."""
        verdict = "MISSED" if self.missed else "kept"
        return f"| {self.name} | {self.cpu:.3f} | {self.budget:g}: {verdict} |"


class Place:
    """A repository of a thousand specs, and a cache of its own."""

    def __init__(self, top: Path) -> None:
        self.repository = top / "repository"
        self.cache = top / "cache"
        who = {"NAME": "Bench", "EMAIL": "bench@example.com"}
        git = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ORCH_", "NOMAD_"))}
        self.env = {**kept, **git, "XDG_CACHE_HOME": str(self.cache), "FILES": str(FILES)}
        self._write()

    def _write(self) -> None:
        jobs = self.repository / "jobs"
        jobs.mkdir(parents=True)
        (self.repository / "orch.toml").write_text('cluster = "bench"\n')
        (self.repository / "inventory.yml").write_text("all:\n  hosts:\n    h1: {}\n")
        for n in range(FILES):
            (jobs / f"{n:04}.nomad.hcl").write_text((LONG if n % 10 else SHORT).format(n=n))
        for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "Jobs")):
            subprocess.run(("git", *words), check=True, cwd=self.repository, env=self.env)

    def forget(self) -> None:
        """Remove what was evaluated, and keep the parser's tables."""
        for kept in self.cache.rglob("*"):
            if kept.is_file() and "grammar" not in kept.name:
                kept.unlink()

    def spent(self, script: str) -> float:
        """Return what a script costs by its own account, in a new process."""
        argv = (sys.executable, "-c", SPENT + script)
        done = subprocess.run(
            argv, check=True, cwd=self.repository, env=self.env, stdout=subprocess.PIPE
        )
        return float(done.stdout)

    def validated(self, file: str) -> float:
        """Return what `orch validate` of one file costs in all, with its children."""
        before = _children()
        argv = (ORCH, "validate", file)
        subprocess.run(
            argv, check=True, cwd=self.repository, env=self.env, stdout=subprocess.DEVNULL
        )
        return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(place: Place) -> list[Row]:
    """Measure everything, interleaved; each figure is a median."""
    found: dict[str, list[float]] = {"cold": [], "cached": [], "single": [], "validate": []}
    place.spent(SINGLE_SPEC)
    for _ in range(RUNS):
        place.forget()
        found["cold"].append(place.spent(READ))
        found["cached"].append(place.spent(READ))
        found["single"].append(place.spent(SINGLE_SPEC))
        place.forget()
        found["validate"].append(place.validated("jobs/0001.nomad.hcl"))
    cpu = {name: statistics.median(values) for name, values in found.items()}
    return [
        Row(name=f"{FILES} specs, cold", cpu=cpu["cold"], budget=COLD),
        Row(name=f"{FILES} specs, cached", cpu=cpu["cached"], budget=CACHED),
        Row(name="one spec of 100 lines, after imports", cpu=cpu["single"], budget=SINGLE),
        Row(name="orch validate, one file", cpu=cpu["validate"], budget=VALIDATE),
    ]


def main() -> int:
    """Print the table."""
    # As an installed package is; some environments keep Python from writing it down by itself.
    for package in ("gitops", "executors", "planner", "inventory"):
        compileall.compile_dir(Path(__file__).parents[1] / package, quiet=2)
    with tempfile.TemporaryDirectory() as top:
        rows = measured(Place(Path(top)))
    print("| what | CPU s | budget, CPU s |")
    print("|---|---|---|")
    for row in rows:
        print(row.text())
    return 1 if any(row.missed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
