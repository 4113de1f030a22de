"""Commands and files on hosts, outside of any job: output by host, ends summed up."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place


@pytest.fixture
def three(place: Place) -> Place:
    """Two names of the one host, and a third one where nobody listens."""
    known = yaml.safe_load(Path(place.environment["ORCH_INVENTORY"]).read_text())
    host = known["all"]["hosts"]["dev"]
    gone = {**host, "ansible_port": 1}
    groups = {"web": {"hosts": {"w1": host, "w2": host}}, "db": {"hosts": {"d1": gone}}}
    place.inventory(json.dumps(groups))
    return place


def test_output_comes_host_by_host_with_a_summary(three: Place) -> None:
    said = three.orch("hosts", "exec", "web", "--", "sh", "-c", "echo hello; echo oh >&2")
    assert said.code == 0
    assert sorted(said.out.split("\n\n")[0].splitlines()) == sorted(
        ["w1 | ok", "hello", "oh", "w2 | ok", "hello", "oh"]
    )
    assert said.err == "2 hosts: 2 ok\n"


def test_words_arrive_as_they_are_and_flags_of_the_command_stay_its_own(three: Place) -> None:
    said = three.orch("hosts", "exec", "w1", "printf", "%s|", "-n", "a b", "$HOME", "-json")
    assert said.out.splitlines() == ["w1 | ok", "-n|a b|$HOME|-json|"]


def test_a_failed_command_is_1_and_a_host_that_is_not_reached_4(three: Place) -> None:
    failed = three.orch("hosts", "exec", "web", "--", "sh", "-c", "exit 3")
    assert failed.code == 1
    assert failed.err == "2 hosts: 2 failed\n"
    assert "w1 | exit 3" in failed.out
    lost = three.orch("hosts", "exec", "all", "--", "true")
    assert lost.code == 4
    assert "d1 | connection refused: 127.0.0.1 port 1" in lost.out
    assert lost.err.endswith("3 hosts: 2 ok, 1 not reached\n")


def test_streamed_lines_have_their_host_in_front(three: Place) -> None:
    said = three.orch(
        "hosts", "exec", "-stream", "w*", "--", "sh", "-c", r"printf 'a\n\033[31mb\n'; echo c >&2"
    )
    assert said.code == 0
    assert sorted(said.out.splitlines()) == ["w1 | a", "w1 | b", "w2 | a", "w2 | b"]
    assert sorted(said.err.splitlines()) == ["2 hosts: 2 ok", "w1 | c", "w2 | c"]


def test_json_has_everything(three: Place) -> None:
    said = three.orch("hosts", "exec", "-json", "w1,d1", "--", "echo", "x")
    ends = {e["Host"]: e for e in json.loads(said.out)}
    assert ends["w1"] == {
        "Host": "w1",
        "ExitStatus": 0,
        "Stdout": "x\n",
        "Stderr": "",
        "Truncated": False,
        "Error": "",
    }
    assert ends["d1"]["ExitStatus"] is None
    assert "connection refused" in ends["d1"]["Error"]


def test_what_takes_too_long_is_ended(three: Place) -> None:
    for flags in ([], ["-stream"]):
        said = three.orch("hosts", "exec", "-timeout", "1s", *flags, "w1", "--", "sleep", "60")
        assert said.code == 4
        assert "w1 | timed out" in said.out + said.err


def test_what_the_inventory_says(three: Place) -> None:
    said = three.orch("hosts", "list", "web")
    assert said.out.splitlines()[0].split() == ["Name", "Address", "Node", "Pool", "DC", "Groups"]
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == ["w1", "w2"]
    (one,) = json.loads(three.orch("hosts", "list", "-json", "d1").out)
    assert (one["Name"], one["Port"], one["Groups"]) == ("d1", 1, ["all", "db"])


def test_a_file_is_copied_there_and_back(three: Place, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    (three.clone / "file").write_bytes(data)
    (three.clone / "file").chmod(0o640)
    to = tmp_path / "to a place"
    to.mkdir()
    said = three.orch("hosts", "cp", "file", f"w1:{to}")
    assert (said.code, said.out, said.err) == (0, "", "1 host: 1 ok\n")
    assert (to / "file").read_bytes() == data
    assert (to / "file").stat().st_mode & 0o777 == 0o640
    assert [p.name for p in to.iterdir()] == ["file"]
    back = three.orch("hosts", "cp", f"web:{to}/file", "found")
    assert back.code == 0
    assert (three.clone / "found/w1/file").read_bytes() == data
    assert (three.clone / "found/w2/file").read_bytes() == data


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("exec web", 1, "there is no command to run"),
        ("exec nobody -- true", 1, "no host or group 'nobody'"),
        ("exec 'n*' -- true", 1, "no host matches"),
        ("exec -timeout 5 web -- true", 1, "-timeout"),
        ("exec -parallelism 0 web -- true", 1, "-parallelism"),
        ("exec @nowhere -- true", 1, "@nowhere: no such file"),
        ("cp a b", 1, "one side is a file or folder here, the other one is PATTERN:/PATH"),
        ("cp web:/a web:/b", 1, "one side is a file or folder here"),
        ("cp nothing web:/tmp", 1, "nothing: no such file"),
        ("cp jobs web:/tmp", 1, "jobs: is a directory"),
        ("cp web:/nowhere found", 1, "w1 | exit 3: not a file, or not there"),
        ("cp orch.toml web:/nowhere/x", 1, "w1 | exit "),
        ("cp web:/tmp/.. found", 1, "/tmp/..: not the path of a file"),
    ],
)
def test_what_is_wrong(three: Place, words: str, code: int, told: str) -> None:
    said = three.orch("hosts", *shlex.split(words))
    assert said.code == code
    assert told in said.err + said.out
    assert not (three.clone / "found").exists()
