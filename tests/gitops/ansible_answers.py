"""What Ansible answers to `--list` and to patterns, for many inventories: one fork for each.

`python ansible_answers.py FILE`: FILE has a JSON list of [inventory, working directory, patterns];
a JSON list of [listing, hosts by pattern] goes to stdout, null where Ansible refuses. Loading
Ansible takes most of a second.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

COMMAND = "ansible.cli.inventory"


def answer(inventory: str, folder: str, patterns: list[str], out: str) -> int:
    """Ask for one inventory in a process of its own; return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        # the library has no types
        command = importlib.import_module(COMMAND).InventoryCLI
        cli = command(["ansible-inventory", "-i", inventory, "--list", "--output", out])
        cli.parse()
        with suppress(SystemExit):  # its way to say that all went well
            cli.run()
        named = {p: hosts(cli.inventory, p) for p in patterns}
        Path(out).write_text(json.dumps([json.loads(Path(out).read_text()), named]))
        status = 0
    finally:
        os._exit(status)


def hosts(inventory: Any, pattern: str) -> list[str] | None:  # noqa: ANN401
    """Return the names of the hosts that a pattern means; None where Ansible refuses it."""
    try:
        return [h.name for h in inventory.get_hosts(pattern)]
    except Exception as e:
        if type(e).__name__ != "AnsibleError":
            raise
        return None


def main() -> None:
    """Answer for all."""
    os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
    importlib.import_module(COMMAND)  # once, for all forks

    answers: list[object] = []
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "answer"
        for inventory, folder, patterns in json.loads(Path(sys.argv[1]).read_text()):
            out.unlink(missing_ok=True)
            status = answer(inventory, folder, patterns, str(out))
            answers.append(None if status else json.loads(out.read_text()))
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
