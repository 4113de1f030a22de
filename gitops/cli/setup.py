"""`orch init` and `orch dev`: from nothing to a first plan."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from gitops import workflows
from gitops.cli.loop import finished
from gitops.cli.options import Json
from gitops.cli.say import note, say, say_json
from gitops.repo import SUFFIXES
from gitops.version import VERSION
from gitops.workflows import Forge
from planner.errors import OrchError, reason

_CONFIG = """\
# Where orch finds things. Every setting is described in docs/configuration.md.
cluster = "{cluster}"
jobs = ["jobs"]
inventory = "{inventory}"

[ledger]
# Where decisions are recorded. Share one by naming a Git URL or a bare repository's path;
# without this line it is the origin of this repository.
url = ".orch/ledger.git"
"""

_INVENTORY = """\
# The hosts, in Ansible's words. Without any, try 'orch dev': an embedded host on this machine.
all:
  hosts: {}
#    web1:
#      ansible_host: 192.0.2.10
#      ansible_user: deploy
#      orch_datacenter: dc1
"""

_EXAMPLE = """\
# A small service: run it with 'orch plan', then 'orch apply'.
job "example" {
  update {
    max_parallel     = 1
    min_healthy_time = "1s"
    healthy_deadline = "30s"
  }

  group "web" {
    count = 1

    network {
      port "http" {}
    }

    task "server" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo \\"$GREETING from port $NOMAD_PORT_http\\"; exec sleep 86400"]
      }

      env {
        GREETING = "hello"
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
"""

_IGNORE = "/.orch/\n"

# Where Ansible's users keep their inventories; the first one that is there is taken as it is.
_OWN = "inventory.yml"
_INVENTORIES = (
    _OWN,
    "inventory.yaml",
    "inventory.ini",
    "inventory",
    "hosts.yml",
    "hosts.yaml",
    "hosts.ini",
    "hosts",
)

_GIT_INIT = ("git init", "make it a Git repository")
_COMMIT = ("git add . && git commit -m 'First job'", "what is committed is what runs")
_DEV = ("orch dev", "an embedded host; or edit inventory.yml")
_REST = (
    ("orch doctor", "what is still missing, here and on hosts"),
    ("orch plan", "see what would happen, then 'orch apply'"),
)


def version(json: Json = False) -> None:
    """Print the version of orch; with -json, also that of each JSON output."""
    from gitops.view.formats import FORMATS

    said = f"orch v{VERSION}"
    say_json({"Version": VERSION, "Formats": dict(FORMATS)}) if json else say(said)


def init(
    directory: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="The repository's; none: this one.")
    ] = ".",
    workflow: Annotated[
        Forge | None,
        typer.Option(
            "--workflow",
            metavar="github|gitlab",
            help="A CI workflow too; where orch.toml is there, only that.",
        ),
    ] = None,
) -> None:
    """Write orch.toml and what else a first repository lacks."""
    root = Path(directory).resolve()
    ci = {workflows.PATHS[workflow]: workflows.text(workflow)} if workflow else {}
    only_ci = workflow is not None and (root / "orch.toml").exists()
    inventory = next((n for n in _INVENTORIES if (root / n).exists()), None)
    files = ci if only_ci else {**_first_files(root, inventory), **ci}
    _refuse_overwriting(root, files)
    _write(root, files)
    more = workflows.STEPS[workflow] if workflow else ""
    if only_ci:
        say(f"\nNext steps:{more}")
        return
    say(_next_steps(root, inventory) + more)


def _next_steps(root: Path, inventory: str | None) -> str:
    trust = ("orch host trust", f"vouch for the keys of hosts in {inventory}")
    git = () if (root / ".git").exists() else (_GIT_INIT,)
    steps = (*git, _COMMIT, _DEV if inventory is None else trust, *_REST)
    return "\nNext steps:" + "".join(f"\n  {command:39}  {what}" for command, what in steps)


def _first_files(root: Path, inventory: str | None) -> dict[str, str]:
    files = {"orch.toml": _CONFIG.format(cluster=_cluster(root), inventory=inventory or _OWN)}
    if inventory is None:
        files[_OWN] = _INVENTORY
    if not any(p.name.endswith(SUFFIXES) for p in (root / "jobs").rglob("*")):
        files["jobs/example.nomad.hcl"] = _EXAMPLE
    return {**files, ".gitignore": _ignoring(root / ".gitignore")}


def _write(root: Path, files: dict[str, str]) -> None:
    """Write all of the files, or none."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name != ".gitignore":
                written.append(_written(path, text))
        if files.get(".gitignore"):
            (root / ".gitignore").write_text(files[".gitignore"])
    except OSError as e:
        for path in written:
            path.unlink(missing_ok=True)
        what = f"{e.filename or root}: {reason(e)}; nothing was written"
        raise OrchError(what, "Name a folder that can be written.") from e
    for name, text in files.items():
        if text:
            say(f"wrote {name}")


def _written(path: Path, text: str) -> Path:
    with path.open("x", encoding="utf-8") as f:
        f.write(text)
    return path


def job_init(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Where to; none: example.nomad.hcl here.")
    ] = "example.nomad.hcl",
    short: Annotated[bool, typer.Option("--short", help="The same: it is short.")] = False,
) -> None:
    """Write an example job file."""
    del short
    path = Path(file)
    try:
        with path.open("x", encoding="utf-8") as f:
            f.write(_EXAMPLE)
    except FileExistsError as e:
        raise OrchError(f"Job '{file}' already exists", "Name another file.") from e
    except OSError as e:
        raise OrchError(f"{file}: {reason(e)}", "Name a file that can be written.") from e
    say(f"Example job file written to {file}")


def _cluster(root: Path) -> str:
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in root.name).strip("-").lower()
    return f"{name[:40] or 'orch'}-{secrets.token_hex(2)}"


def _refuse_overwriting(root: Path, files: dict[str, str]) -> None:
    if taken := [name for name in files if name != ".gitignore" and (root / name).exists()]:
        raise OrchError(
            f"{', '.join(taken)}: already there; nothing was written",
            "Remove it first, or run 'orch init' in another folder.",
        )


def _ignoring(path: Path) -> str:
    """Return what .gitignore is to hold; empty where it holds it already."""
    try:
        text = path.read_text() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as e:
        raise OrchError(f"{path.name}: {reason(e)}", "It must be readable UTF-8 text.") from e
    if _IGNORE.strip() in text.splitlines():
        return ""
    return text + ("" if not text or text.endswith("\n") else "\n") + _IGNORE


def dev(
    directory: Annotated[
        str,
        typer.Option(
            "--dir", envvar="ORCH_DEV_DIR", metavar="FOLDER", help="Where the host keeps its data."
        ),
    ] = ".orch/dev",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0: a free one.")] = 0,
) -> None:
    """Run an embedded host; its tasks outlive it."""
    finished(_serve(Path(directory).absolute(), port))


async def _serve(directory: Path, port: int) -> None:
    import asyncio

    from executors.dev import DevHost

    async with DevHost(directory, port=port):
        note("The embedded host is up. In another terminal:")
        say(f"export ORCH_INVENTORY={directory / 'inventory.yml'}")
        note("Interrupt (Ctrl-C) ends the host; tasks it has started go on running.")
        await asyncio.Event().wait()
