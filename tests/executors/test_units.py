"""Supervision by systemd, as far as it can be seen without one: units, and what is asked of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from executors.local import LocalTransport
from tests.executors.on_host import HostUnderTest, leave_nothing

# Notes what it is told; `start` runs the unit's command, detached.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>"{log}"
[ "$1" = start ] || exit 0
set -- $(sed -n 's/^ExecStart=//p' "/etc/systemd/system/$3")
setsid setsid "$@" </dev/null >/dev/null 2>&1
"""
WRAPPER = """#!/bin/sh
exec unshare -m sh -c '
    mount --bind "{run}" /run/systemd && mount --bind "{units}" /etc/systemd/system || exit 99
    exec sh "$@"' sh "$@"
"""


def can_unshare(folder: Path) -> bool:
    if os.getuid() != 0 or not Path("/etc/systemd/system").is_dir() or not shutil.which("unshare"):
        return False
    if not Path("/run/systemd").is_dir():
        return False
    done = subprocess.run(
        ["unshare", "-m", "mount", "--bind", str(folder), "/run/systemd"],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0


def write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def machine_with_systemd(folder: Path, data: Path) -> HostUnderTest:
    for name in ("run/system", "units", "bin"):
        (folder / name).mkdir(parents=True)
    write_script(folder / "bin" / "systemctl", SYSTEMCTL.format(log=folder / "log"))
    write_script(folder / "wrapper", WRAPPER.format(run=folder / "run", units=folder / "units"))
    env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": "/root"}
    transport = LocalTransport(name="h", env=env, interpreter=(str(folder / "wrapper"),))
    return HostUnderTest(data / "data", transport)


@pytest.fixture
async def systemd_host(tmp_path: Path) -> AsyncIterator[HostUnderTest]:
    if not can_unshare(tmp_path):
        pytest.skip("needs root and mount namespaces")
    # A host in /tmp is never given units.
    with tempfile.TemporaryDirectory(prefix="orch-test-", dir="/var/tmp") as data:
        found = machine_with_systemd(tmp_path, Path(data))
        await found.guard.enrol()
        await found.guard.raise_fences([found.fence])
        yield found
        await leave_nothing(found)


async def test_unit_runs_the_supervisor_and_goes_with_the_task(
    systemd_host: HostUnderTest, tmp_path: Path
) -> None:
    host = systemd_host
    record = await host.start(host.task("echo up; exec sleep 100"))
    await host.until_output(record, b"up")
    unit = tmp_path / "units" / f"orch-{record.alloc_id}-t.service"
    text = unit.read_text()
    folder = host.data / "records" / record.alloc_id
    assert f"ExecStart=/bin/sh {folder}/supervise.sh {folder} t\n" in text
    wanted = "WantedBy=multi-user.target default.target"
    assert {"KillMode=control-group", "IgnoreSIGPIPE=no", wanted} <= set(text.splitlines())
    await host.stop(record)
    assert not unit.exists()
    said = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in said] == [
        "daemon-reload",
        "enable",
        "start",
        "disable",
        "daemon-reload",
    ]


async def test_name_that_needs_escaping_is_supervised_without_a_unit(
    systemd_host: HostUnderTest, tmp_path: Path
) -> None:
    record = await systemd_host.start(systemd_host.task("exec sleep 100", name="a %n b"))
    await systemd_host.until(record, "running", "a %n b")
    assert not list((tmp_path / "units").iterdir())
