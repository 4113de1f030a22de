from __future__ import annotations

import re
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors import facts, probe, scripts
from executors.local import LocalTransport
from executors.records import Life
from executors.transport import HostError, HostFault
from planner.observed import TaskPhase
from tests.executors.on_host import CLUSTER, NODE, HostUnderTest, found_shell, host

__all__ = ["host"]

HEAD = b"orch-probe\t1\n"
END = b"end\torch-probe\n"
ALLOC = b"""alloc\t12345678-aaaa
record\tcluster\tc1
record\ttoken\tt
record\tjob\tweb
record\tnamespace\tdefault
record\tgroup\tg
record\tname\tweb.g[0]
record\tversion\t2
record\tindex\t7
record\tcpu\t100
record\tmemory\t64
record\tdisk\t10
record\tport.http\t20001
task\tt
state\tstate\trunning
state\trestarts\t1
state\texit_code\t
live\t1\t1
event\t17\tStarted\tTask started by client
event\t18\tTerminated\tExit Code: 3\texit_code=3\tsignal=0
"""
TOOLS = b"tool\tflock\ntool\tsetsid\n"


async def test_probe_of_this_machine(host: HostUnderTest) -> None:
    record = await host.start(host.task("exec sleep 100"), record=host.record(ports={"a": 18765}))
    await host.until(record, "running")
    done = await host.transport.run(probe.command(str(host.data), CLUSTER))
    found = probe.parse(done.stdout, "h", CLUSTER)
    assert done.stderr == b""
    assert (found.node_id, found.format, found.data_dir) == (NODE, 1, str(host.data))
    assert found.attributes["kernel.name"] == "linux"
    assert found.attributes["driver.raw_exec"] == "1"
    assert int(found.attributes["cpu.totalcompute"]) == found.resources.cpu > 0
    assert found.resources.memory_mb > 0
    assert found.resources.disk_mb > 0
    assert re.fullmatch(r"[0-9.]+", found.address)
    assert found.missing_tools == ()
    assert found.fences["web"].index == 5
    (alloc,) = found.allocs
    assert (alloc.id, alloc.ports, alloc.unattended) == (record.alloc_id, {"a": 18765}, False)
    assert (await host.inspect(record)).lives == {"t": Life.SUPERVISED}
    again = await host.transport.run(probe.command(str(host.data), CLUSTER))
    assert probe.parse(again.stdout, "h", CLUSTER).attributes == found.attributes
    other = probe.parse(again.stdout, "h", "c2")
    assert (other.allocs, len(other.foreign)) == ((), 1)


async def test_probe_writes_nothing(tmp_path: Path) -> None:
    transport = LocalTransport(name="h")
    done = await transport.run(probe.command(str(tmp_path / "data"), CLUSTER))
    found = probe.parse(done.stdout, "h", CLUSTER)
    assert (found.node_id, found.format, found.allocs) == ("", 0, ())
    assert not (tmp_path / "data").exists()
    done = await transport.run(probe.inspect(str(tmp_path / "data"), ["12345678"]))
    assert probe.parse_allocs(done.stdout, "h") == ()


@pytest.mark.parametrize("names", [("allocs", "probe"), ("allocs", "inspect"), ("logs",)])
def test_reading_scripts_redirect_to_no_file(names: tuple[str, ...]) -> None:
    text = re.sub(r"'[^']*'", "''", scripts.script(*names))
    targets = re.findall(r"(?<![<=-])>>?\s*(&?[^\s;)}|]+)", text)
    assert set(targets) <= {"/dev/null", "&1", "&2"}
    writers = r"(?m)(?:^|[;&|(]|then|do)\s*(rm|mv|cp|mkdir|touch|tee|chmod|chown|ln|sync|kill)\b"
    assert not re.search(writers, text)


@pytest.mark.parametrize("shell", [("dash", "-n"), ("busybox", "sh", "-n")])
@pytest.mark.parametrize(
    "name", sorted(p.name for p in files("executors").joinpath("host").iterdir())
)
async def test_scripts_parse_and_fit_an_argument(shell: tuple[str, ...], name: str) -> None:
    found_shell(shell[0])
    path = files("executors").joinpath("host", name)
    done = await LocalTransport().run([*shell, str(path)])
    assert (done.exit_status, done.stderr) == (0, b"")
    assert len(path.read_bytes()) < 30_000


def test_many_pairs_of_a_record_fit_on_one_line() -> None:
    apart = probe.parse(HEAD + TOOLS + ALLOC + END, "h", "c1")
    joined = re.sub(rb"\n(?:record|state)(?=\t(?!cluster|state\t))", b"", ALLOC)
    assert joined.count(b"\nrecord\t") == joined.count(b"\nstate\t") == 1
    assert probe.parse(HEAD + TOOLS + joined + END, "h", "c1") == apart


def test_records_become_values() -> None:
    found = probe.parse(b"Welcome!\n" + HEAD + TOOLS + ALLOC + END, "h", "c1")
    (alloc,) = found.allocs
    task = alloc.tasks["t"]
    assert (alloc.name, alloc.version, alloc.index) == ("web.g[0]", 2, 7)
    assert (task.state, task.restarts, task.exit_code) == (TaskPhase.RUNNING, 1, None)
    assert task.events[1].details == {"exit_code": "3", "signal": "0"}


def test_running_task_without_processes_is_dead() -> None:
    output = HEAD + ALLOC.replace(b"live\t1\t1", b"live\t0\t0") + END
    (alloc,) = probe.parse(output, "h").allocs
    assert alloc.tasks["t"].state is TaskPhase.DEAD
    assert alloc.unattended


@pytest.mark.parametrize(
    "broken",
    [b"cpu\t100", b"name\tweb.g[0]", b"version\t2", b"cluster\tc1", b"namespace\tdefault"],
)
def test_record_without_a_field_is_damaged_not_free(broken: bytes) -> None:
    found = probe.parse(HEAD + ALLOC.replace(b"record\t" + broken + b"\n", b"") + END, "h")
    assert (found.allocs, found.damaged) == ((), ("12345678-aaaa",))


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (b"", "not a probe's"),
        (b"{}", "not a probe's"),
        (b"\x00\xff" * 1000, "not a probe's"),
        (HEAD, "cut off"),
        (HEAD + ALLOC + END[:-1], "cut off"),
        (b"orch-probe\t2\n" + END, "another format"),
        (HEAD + b"node\t../../etc\n" + END, "id is damaged"),
        (HEAD + b"format\t2\n" + END, "format '2'"),
        (HEAD + b"format\t\n" + END, "format ''"),
        (HEAD + b"fence\tweb\t\n" + END, "fence of web is damaged"),
        (HEAD + b"fence\tweb\t1 x c\n" + END, "fence of web is damaged"),
        (HEAD + b"unreadable\t/var/lib/orch\n" + END, "not readable"),
        (HEAD + b"x" * probe.PROBE_LIMIT + END, "more than"),
    ],
)
def test_unusable_output_is_refused(output: bytes, says: str) -> None:
    with pytest.raises(HostError, match=says) as caught:
        probe.parse(output, "h")
    assert caught.value.fault is HostFault.OUTPUT


@given(st.binary(max_size=300))
def test_hostile_lines_raise_nothing_else(noise: bytes) -> None:
    with suppress(HostError):
        found = probe.parse(HEAD + ALLOC + noise + b"\n" + END, "h")
        assert "\x1b" not in repr(found.attributes)


def test_terminal_escapes_and_control_characters_are_stripped() -> None:
    evil = "\x1b[31mred\x07\x9b\u202e".encode()
    output = HEAD + b"fact\tos.name\t" + evil + b"\n" + ALLOC.replace(b"Exit", evil) + END
    found = probe.parse(output, "h")
    event = found.allocs[0].tasks["t"].events[1]
    for text in (found.attributes["os.name"], event.message):
        assert all(c.isprintable() for c in text)


@pytest.mark.parametrize(
    ("given_facts", "mhz"),
    [
        ({"cpu.khz": "3500000", "cpu.mhz": "800.1"}, 3500),
        ({"cpu.mhz": "2596.124"}, 2600),
        ({"cpu.mhz": "2599.9"}, 2600),
        ({}, 1000),
        ({"cpu.mhz": "9" * 400}, 10**15),
    ],
)
def test_frequency_does_not_wander(given_facts: dict[str, str], mhz: int) -> None:
    assert facts.frequency(given_facts) == mhz


@pytest.mark.parametrize("key", ["web", "a/b", "..", ".hidden", "ünï", "a b@ns", "%2F", "~x"])
def test_job_keys_are_file_names(key: str) -> None:
    name = facts.quoted(key)
    assert re.fullmatch(r"[A-Za-z0-9_%-]+", name)
    assert facts.unquoted(name) == key


def test_debian_tells_its_point_release() -> None:
    said = {"os.name": "debian", "os.version": "12", "debian": "12.11", "kernel.arch": "aarch64"}
    found = facts.attributes(said, {"flock"})
    assert (found["os.version"], found["cpu.arch"]) == ("12.11", "arm64")
    assert "driver.raw_exec" not in found


async def test_only_the_end_of_stopped_allocations_is_told(host: HostUnderTest) -> None:
    record = await host.start(host.task("exec sleep 100"))
    await host.until(record, "running")
    await host.stop(record)
    done = await host.transport.run(probe.command(str(host.data), CLUSTER))
    (brief,) = probe.parse(done.stdout, "h", CLUSTER).allocs
    kinds = [e.type for e in brief.tasks["t"].events]
    assert kinds == ["Killing", "Terminated", "Killed"]
    assert brief.desired == "stop"
    assert (await host.inspect(record)).released
    assert len((await host.state(record)).events) == 6
