"""Inventories mean what Ansible says they mean: hand-written ones and hundreds made by rule."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from gitops.inventory_files import read_sources
from inventory.errors import PatternError
from inventory.listing import listing
from inventory.load import load_sources, resolve
from inventory.model import Inventory
from inventory.pattern import select

HERE = Path(__file__).parent
WRITTEN = HERE / "inventories"
GROUPS = ("web", "db", "a", "b", "c", "canary", "stores")
# one has the name of a group too
HOSTS = (
    *("h1", "h2", "h3", "n[1:3]", "n[2:4].x", "n[1:9:3]", "r[08:11]-[a:b]", "db-a", "p:2222", "p"),
    *("10.0.0.1", "10.0.0.1:99", "UPPER", "db"),
)
# Numbers only for groups without grandchildren: Ansible itself orders those by chance.
PARTS = (
    *("all", "*", "web", "db", "a", "b", "stores", "h1", "n1", "n2.x", "db-a", "p", "ungrouped"),
    *("h*", "*a*", "~h[12]", "~^n.*x$", "we?", "h[12]", "[hn]1", "all[:2]", "all[0:]", "all[-2:]"),
    *("stores[-1]", "stores[1:2]", "stores[9]", "stores[-9]", "canary[0]", "canary[1-2]", "h1[0]"),
)
NAMES = ("x", "y", "colour", "ansible_user", "orch_node_class")
VALUES: tuple[object, ...] = (
    *(1, "1", "a b", True, None, [1, "b"], {"k": "v"}, "{{ x }}", 1.5, ""),
    *(1e30, "yes", "0o17", "2001-01-01", "{{", "é", {"a": {"b": [{"c": 1}]}}, 12345678901234567890),
)
LITERALS = (
    *("1", "'1'", "text", "True", "true", "[1, 'b']", "{'k': 'v'}", '"q"', "a=b", "07", ""),
    *("None", "1.50", "1e3", "0x10", "(1,2)", "a # b", "#x", "'it''s'", "1_000", "b'x'", "[1,"),
)


class Maker:
    """Makes inventories by chance, the same ones every time."""

    def __init__(self, seed: int, names: tuple[str, ...] = NAMES) -> None:
        self.names = names
        self.chance = random.Random(seed)  # noqa: S311 - not for secrets

    def some(self, options: tuple[str, ...], most: int = 3) -> list[str]:
        return self.chance.sample(options, self.chance.randint(0, min(most, len(options))))

    def variables(self) -> dict[str, object]:
        return {name: self.chance.choice(VALUES) for name in self.some(self.names, 2)}

    def yaml(self) -> str:
        tree: dict[str, Any] = {}
        for number, name in enumerate(GROUPS):
            if self.chance.random() < 0.7:
                group = tree[name] = {}
                group["vars"] = self.variables()
                if self.chance.random() < 0.2:
                    group["vars"]["ansible_group_priority"] = self.chance.randint(1, 9)
                group["hosts"] = {h: self.variables() for h in self.some(HOSTS)}
                group["children"] = dict.fromkeys(self.some(GROUPS[number + 1 :], 2))
        tree["all"] = {"vars": self.variables(), "hosts": dict.fromkeys(self.some(HOSTS, 1))}
        return json.dumps(tree)

    def ini(self) -> str:
        lines = [self._line(h) for h in self.some(HOSTS)]
        declared = [g for g in GROUPS if self.chance.random() < 0.7]
        for number, group in enumerate(declared):
            lines += [f"[{group}]", *(self._line(h) for h in self.some(HOSTS))]
            if self.chance.random() < 0.6:
                lines += [f"[{group}:children]", *self.some(tuple(declared[number + 1 :]), 2)]
            if self.chance.random() < 0.6:
                given = [f"{n} = {self.chance.choice(LITERALS)}" for n in self.some(self.names)]
                lines += [f"[{group}:vars]", "# a comment", *given]
        return "\n".join(lines) + "\n"

    def _line(self, host: str) -> str:
        words = ("1", "text", "'a b'", "True", "[1,2]", '"q"', "07", "")
        given = (f"{n}={self.chance.choice(words)}" for n in self.some(self.names, 2))
        return " ".join((host, *given))

    def write(self, root: Path) -> Path:
        inventory = root / "inv"
        inventory.mkdir(parents=True)
        for name, text in (("1.yml", self.yaml()), ("2", self.ini()), ("3.ini", self.ini())):
            if self.chance.random() < 0.6:
                (inventory / name).write_text(text)
        (inventory / "0.yml").write_text(self.yaml())
        for folder in (inventory, root):
            self._folders(folder)
        return inventory

    def _folders(self, root: Path) -> None:
        for owner, names in (("group_vars", (*GROUPS, "all")), ("host_vars", ("h1", "n2.x", "p"))):
            for name in self.some(names):
                ending = self.chance.choice(("", ".yml", ".json", "/a.yml", "/b", "/c/d.yaml"))
                file = root / owner / f"{name}{ending}"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(self.variables()))


def patterns(chance: random.Random) -> list[str]:
    """Host patterns by chance, of parts that there may be."""
    marks = ("", "", "", "!", "&")
    return [
        chance.choice(":,").join(
            chance.choice(marks) + chance.choice(PARTS) for _ in range(chance.randint(1, 3))
        )
        for _ in range(30)
    ]


def answers(
    cases: list[tuple[Path, Path]], asked_of_each: list[str], made: Path
) -> list[tuple[dict[str, Any], dict[str, list[str] | None]] | None]:
    asked = made / "asked.json"
    asked.write_text(json.dumps([(str(i), str(folder), asked_of_each) for i, folder in cases]))
    done = subprocess.run(
        [sys.executable, str(HERE / "ansible_answers.py"), str(asked)],
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def normal(answer: dict[str, Any]) -> object:
    """The order of children is Ansible's own; its marks of secret and unsafe text say no more."""
    groups = {
        name: {"hosts": g.get("hosts", []), "children": sorted(g.get("children", []))}
        for name, g in answer.items()
        if name != "_meta"
    }
    return groups, unmarked(answer["_meta"]["hostvars"])


def unmarked(value: object) -> object:
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        ((mark, marked),) = [*table.items()] if len(table) == 1 else [("", None)]
        if mark.startswith("__ansible_"):
            return marked
        return {k: unmarked(v) for k, v in table.items()}
    return [unmarked(v) for v in cast("list[object]", value)] if isinstance(value, list) else value


def ours(inventory: Path, folder: Path) -> object:
    fleet = resolve(read_sources(inventory, folder, str))
    return normal(json.loads(json.dumps(listing(fleet))))


def chosen(fleet: Inventory, pattern: str) -> list[str] | None:
    """The hosts that a pattern means; None where it names what there is not."""
    try:
        return sorted(h.name for h in select(fleet, pattern))
    except PatternError:
        return None


def written() -> Iterator[tuple[Path, Path]]:
    for case in sorted(WRITTEN.iterdir()):
        (inventory,) = case.glob("inv*")
        yield inventory, case


def made(folder: Path, makers: list[Maker]) -> list[tuple[Path, Path]]:
    return [(m.write(folder / str(n)), folder / str(n)) for n, m in enumerate(makers)]


def test_every_inventory_means_what_ansible_says(tmp_path: Path) -> None:
    cases = [*written(), *made(tmp_path, [Maker(n) for n in range(60)])]
    for (inventory, folder), answer in zip(cases, answers(cases, [], tmp_path), strict=True):
        assert answer is not None, f"Ansible refuses {inventory}"
        assert ours(inventory, folder) == normal(answer[0]), inventory


def test_every_pattern_means_what_ansible_says(tmp_path: Path) -> None:
    asked = patterns(random.Random(1))  # noqa: S311 - not for secrets
    cases = made(tmp_path, [Maker(n, names=("x",)) for n in range(20)])
    told = 0
    for (inventory, folder), answer in zip(cases, answers(cases, asked, tmp_path), strict=True):
        assert answer is not None
        fleet = load_sources(read_sources(inventory, folder, str))
        for pattern, names in answer[1].items():
            # a name that is nowhere is an error here, and a warning there
            ours = chosen(fleet, pattern)
            if ours is not None and names is not None:
                assert ours == sorted(names), (inventory, pattern)
                told += 1
    assert told > 400
