"""Files, checks and services of an allocation, and who decides, from the command line."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.cases import Case, cases, check
from tests.cli.place import CONFIG, Place, made, place_on

JOB = """\
job "shop" {
  update {
    min_healthy_time = "0s"
    healthy_deadline = "90s"
  }
  group "front" {
    network {
      port "http" {}
    }
    service {
      name     = "shop-http"
      provider = "nomad"
      port     = "http"
      tags     = ["global", "cache"]
      check {
        name     = "alive"
        type     = "tcp"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "server" {
      driver       = "raw_exec"
      kill_timeout = "1s"
      service {
        name     = "shop-admin"
        provider = "nomad"
      }
      config {
        command = "sh"
        args = ["-c", "echo text >local/f; echo up; exec python3 -m http.server $NOMAD_PORT_http"]
      }
      resources {
        cpu    = 20
        memory = 32
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def root(
    background: Background, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Path, DevHost]]:
    """A clone, a ledger and a host of their own, on which the job runs."""
    root = tmp_path_factory.mktemp("shop")
    with background.serving(DevHost(root / "dev")) as dev:
        files = {"orch.toml": CONFIG, "jobs/shop.nomad.hcl": JOB}
        place = made(place_on(dev, root), files)
        said = place.spawn("apply", "-auto-approve")
        assert said.code == 0, said.err
        yield root, dev
        said = place.spawn("stop", "-yes", "shop")
        assert said.code == 0, said.err


@pytest.fixture
def place(
    root: tuple[Path, DevHost],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    folder, dev = root
    return replace(place_on(dev, folder), capsys=capsys, monkeypatch=monkeypatch)


@pytest.fixture
def alloc(place: Place) -> str:
    (found,) = json.loads(place.orch("job", "allocs", "-json", "shop").out)
    return str(found["ID"])


def test_files_of_an_allocation(place: Place, alloc: str) -> None:
    said = place.orch("alloc", "fs", alloc[:8])
    assert said.code == 0, said.err
    header, *rows = said.out.splitlines()
    assert re.fullmatch("Mode +Size +Modified Time +Name", header)
    assert [row.split()[-1] for row in rows] == ["alloc/", "server/"]
    assert all(re.fullmatch(r"drwx.{6} +\S+ \w+ +\S+Z  \w+/", row) for row in rows)
    said = place.orch("alloc", "fs", "-H", "-job", "shop", "server/local")
    assert re.fullmatch(r"-rw-r--r--  5     \S+Z  f", said.out.splitlines()[1]), said.out
    (entry,) = json.loads(place.orch("alloc", "fs", "-json", alloc, "server/local").out)
    assert (entry["Name"], entry["Size"], entry["IsDir"]) == ("f", 5, False)


def test_a_file_of_an_allocation(place: Place, alloc: str) -> None:
    done = place.spawn("alloc", "fs", alloc[:8], "server/local/f")
    assert (done.code, done.out, done.err) == (0, "text\n", "")
    said = place.orch("alloc", "fs", "-stat", alloc, "/server/local/f")
    header, row = said.out.splitlines()
    assert header.split("  ")[0] == "Mode"
    assert re.search(r"5 B   \S+Z  text/plain; charset=utf-8  f$", row)
    data = json.loads(place.orch("alloc", "fs", "-json", alloc, "server/local/f").out)
    assert (data["Name"], data["ContentType"]) == ("f", "text/plain; charset=utf-8")
    path = place.host / "alloc" / alloc / "server/local/log"
    path.write_text("".join(f"{n}\n" for n in range(30)))
    try:
        for argv, lines in (("-n 2", 2), ("-tail", 10), ("-c 3", 1), ("-tail -n 3", 3)):
            words = ("alloc", "fs", *argv.split(), alloc, "server/local/log")
            assert len(place.spawn(*words).out.splitlines()) == lines, argv
    finally:
        path.unlink()


def test_a_name_cannot_steer_a_terminal(place: Place, alloc: str) -> None:
    folder = place.host / "alloc" / alloc / "server/local"
    (folder / "a\x1b[31m\nb").mkdir()
    try:
        said = place.orch("alloc", "fs", alloc, "server/local")
        assert '"a\\u001b[31m\\nb"/' in said.out
        assert said.out.count("\n") == 3
    finally:
        os.rmdir(folder / "a\x1b[31m\nb")  # noqa: PTH106


@cases(
    Case(name="none", argv="alloc fs ALLOC none", words=("/none: no such file or directory",)),
    Case(name="outside", argv="alloc fs ALLOC ../..", words=("leads out of the allocation's",)),
    Case(
        name="no alloc", argv="alloc fs ffffffff", words=('No allocation(s) with prefix or id "f',)
    ),
    Case(name="checks", argv="alloc checks ffffffff", words=("No allocation(s) with prefix",)),
    Case(
        name="service",
        argv="service info nosuch",
        words=('No service(s) with prefix or name "nosuch" found', "See 'orch service list'."),
    ),
    Case(
        name="services",
        argv="service info shop",
        words=('Prefix "shop" matched multiple services', "  shop-admin\n  shop-http"),
    ),
)
def test_what_is_refused(case: Case, place: Place, alloc: str) -> None:
    assert isinstance(case.argv, str)
    check(replace(case, argv=case.argv.replace("ALLOC", alloc[:8])), place)


def test_checks_of_an_allocation(place: Place, alloc: str) -> None:
    end = time.monotonic() + 60
    while "failure" in (said := place.orch("alloc", "checks", alloc[:8])).out:
        assert time.monotonic() < end
    assert said.code == 0
    first, _, *lines = said.out.splitlines()
    assert first == "Status of 1 Nomad Service Checks"
    pairs = dict(re.split(" +=  ", line) for line in lines)
    assert list(pairs) == [
        "Name", "Group", "Task", "Service", "Status", "Mode", "Timestamp", "Output",
    ]  # fmt: skip
    assert (pairs["Group"], pairs["Task"]) == ("shop.front[0]", "(group)")
    assert (pairs["Status"], pairs["Output"]) == ("success", "tcp ok")
    (data,) = json.loads(place.orch("alloc", "checks", "-json", alloc).out)
    assert (data["Check"], data["Status"]) == ("alive", "success")


def test_services(place: Place, alloc: str) -> None:
    said = place.orch("service", "list")
    assert said.out == ("Service Name  Tags\nshop-admin    []\nshop-http     [cache,global]\n")
    header, row = place.orch("service", "info", "shop-h").out.splitlines()
    assert re.split("  +", header) == ["Job ID", "Address", "Tags", "Node ID", "Alloc ID"]
    job, address, tags, _, short = row.split()
    assert (job, tags, short) == ("shop", "[global,cache]", alloc[:8])
    (data,) = json.loads(place.orch("service", "info", "-json", "shop-http").out)
    assert address == f"{data['Address']}:{data['Port']}"
    assert (data["JobID"], data["AllocID"], data["NodeName"]) == ("shop", alloc, "dev")
    listed = json.loads(place.orch("service", "list", "-json").out)
    assert [s["ServiceName"] for s in listed] == ["shop-admin", "shop-http"]


def test_who_decides(place: Place) -> None:
    said = place.orch("server", "members")
    header, row = said.out.splitlines()
    assert re.split("  +", header) == ["Name", "Role", "Status", "Started", "Jobs"]
    assert re.fullmatch(rf"{place.ledger}  ledger  index \d+", row)
    (data,) = json.loads(place.orch("server", "members", "-json").out)
    assert (data["Role"], data["Name"]) == ("ledger", str(place.ledger))
