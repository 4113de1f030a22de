"""A lab to play with: `up [N]`, `sh HOST COMMAND`, `status`, `down`. Root only."""

from __future__ import annotations

import argparse
import os
import sys

from tests.lab.cgroups import Cgroup, hierarchies
from tests.lab.fleet import LABS, Lab, clear, kept
from tests.lab.host import first_process, inside
from tests.lab.programs import LabError


def main() -> int:
    """Return the exit status."""
    words = _parser().parse_args()
    try:
        match words.verb:
            case "up":
                _up(words.count)
            case "down":
                for number in kept():
                    clear(number)
            case "status":
                _status()
            case _:
                _shell(words.host, words.command)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="boot hosts that stay until `down`")
    up.add_argument("count", type=int, nargs="?", default=3)
    verbs.add_parser("down", help="remove every lab that was made by `up`")
    verbs.add_parser("status", help="list labs and hosts")
    shell = verbs.add_parser("sh", help="run a command on a host, without ssh")
    shell.add_argument("host")
    shell.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _up(count: int) -> None:
    lab = Lab()
    try:
        lab.up(count)
        inventory = lab.folder / "inventory.yml"
        inventory.write_text(lab.inventory_text())
        lab.keep()
    except BaseException:
        lab.down()
        raise
    print(f"{count} hosts up: ssh -F {lab.folder}/ssh_config h1\ninventory: {inventory}")


def _hosts() -> dict[str, Cgroup]:
    mounts = hierarchies()
    return {
        path.parent.name: Cgroup(f"orchlab{number}/{path.parent.name}", mounts)
        for number in kept()
        for path in sorted((LABS / str(number)).glob("*/host_key"))
    }


def _status() -> None:
    for name, group in _hosts().items():
        print(f"{group.name.partition('/')[0]} {name} {'up' if first_process(group) else 'down'}")


def _shell(host: str, command: list[str]) -> None:
    group = _hosts().get(host)
    pid = first_process(group) if group else None
    if pid is None:
        message = f"no host {host} is up"
        raise LabError(message)
    words = [*inside(pid), *(command or ["sh"])]
    os.execvp(words[0], words)  # noqa: S606 - it shall take this process over, terminal and all


if __name__ == "__main__":
    sys.exit(main())
