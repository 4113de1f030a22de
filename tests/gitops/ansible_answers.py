"""What `ansible-inventory --list` answers, for many inventories: one process, one fork for each.

`python ansible_answers.py FILE`: FILE has a JSON list of [inventory, working directory]; a JSON
list of answers goes to stdout, null where Ansible refuses. Loading Ansible takes most of a second.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

COMMAND = "ansible.cli.inventory"


def answer(inventory: str, folder: str, out: str) -> int:
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
        cli.run()
        status = 0
    except SystemExit as e:
        status = int(e.code or 0)
    finally:
        os._exit(status)


def main() -> None:
    """Answer for all."""
    os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
    importlib.import_module(COMMAND)  # once, for all forks

    answers: list[object] = []
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "answer"
        for inventory, folder in json.loads(Path(sys.argv[1]).read_text()):
            out.unlink(missing_ok=True)
            status = answer(inventory, folder, str(out))
            answers.append(None if status else json.loads(out.read_text()))
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
