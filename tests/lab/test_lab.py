"""The lab keeps its promises: hosts of their own, faults as ordered, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.fleet import LABS, Lab, lab_of
from tests.lab.host import LabHost
from tests.lab.programs import LabError, wait_for

pytestmark = pytest.mark.lab


def ssh(lab: Lab, host: str, command: str, patience: int = 60) -> subprocess.CompletedProcess[str]:
    """Log in as a person would, with the machine's own client."""
    options = ["-F", str(lab.folder / "ssh_config"), "-o", f"ConnectTimeout={patience}"]
    return subprocess.run(
        ["ssh", *options, host, command], capture_output=True, text=True, timeout=180, check=False
    )


def leftovers(number: int) -> list[str]:
    """What of a lab is still on the machine."""
    name = f"orchlab{number}"
    places = [Path("/sys/class/net", name), LABS / str(number), LABS / f"{number}.lock"]
    places += Path("/run/netns").glob(f"{name}-*")
    places += Path("/sys/fs/cgroup").glob(f"*/{name}")
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return [str(x) for x in places if x.exists()] + [x for x in mounts if f"{LABS}/{number}/" in x]


@pytest.mark.parametrize("name", ["h1", "h2", "h3"])
def test_each_host_lets_root_in_and_is_itself(lab: Lab, name: str) -> None:
    done = ssh(lab, name, "hostname && id -u && cat /etc/machine-id")

    assert done.returncode == 0, done.stderr
    assert done.stdout == lab.host(name).sh("hostname && id -u && cat /etc/machine-id")
    assert done.stdout.startswith(f"{name}\n0\n")


def test_hosts_share_neither_files_nor_processes_nor_the_machines_own(lab: Lab) -> None:
    lab.host("h1").sh("echo secret >/root/mine; sleep 300 >/dev/null 2>&1 & echo $! >/run/mine.pid")

    assert lab.host("h2").sh("ls /root /run/mine.pid 2>/dev/null || :") == "/root:\n"
    assert "sleep 300" not in lab.host("h2").sh("ps ax")
    assert "pytest" not in lab.host("h1").sh("ps ax")
    assert lab.host("h1").sh("ls /usr/local") == ""
    assert lab.host("h1").sh("stat -c %d /home") != f"{Path('/home').stat().st_dev}\n"


def test_hosts_reach_each_other_and_nothing_else(lab: Lab) -> None:
    there = lab.host("h2").address
    greeting = f"exec 3<>/dev/tcp/{there}/22; head -c 4 <&3"

    assert lab.host("h1").sh(f"bash -c '{greeting}'") == "SSH-"
    with pytest.raises(LabError, match="unreachable"):
        lab.host("h1").sh("bash -c ': <>/dev/tcp/192.0.2.1/80'")


def test_reinstall_empties_the_disk_and_keeps_the_identity(lab: Lab) -> None:
    host = lab.host("h2")
    before = ssh(lab, "h2", "touch /root/old; cat /etc/ssh/ssh_host_ed25519_key").stdout

    host.reinstall()

    after = ssh(lab, "h2", "ls /root; cat /etc/ssh/ssh_host_ed25519_key")
    assert (after.returncode, after.stdout) == (0, before)


FAULTS: list[tuple[Callable[[LabHost], None], str]] = [
    (LabHost.crash, "Connection timed out"),
    (LabHost.partition, "Connection timed out"),
    (LabHost.freeze, "banner exchange"),
    (LabHost.stop_sshd, "Connection refused"),
]


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=lambda x: getattr(x, "__name__", ""))
def test_a_fault_shows_and_heals(lab: Lab, fault: Callable[[LabHost], None], said: str) -> None:
    host = lab.host("h3")
    host.sh("touch /root/kept /run/gone")

    fault(host)
    try:
        broken = ssh(lab, "h3", "true", patience=3)
        other = ssh(lab, "h1", "true")
    finally:
        host.heal()

    assert said in broken.stderr
    assert other.returncode == 0
    rebooted = fault is LabHost.crash
    assert ssh(lab, "h3", "ls /root/kept /run/gone").stdout.split()[:1] == ["/root/kept"]
    assert ("/run/gone" in ssh(lab, "h3", "ls /run/gone").stdout) is not rebooted


def test_stop_sshd_ends_open_sessions_and_spares_other_processes(lab: Lab) -> None:
    host = lab.host("h1")
    host.sh("setsid -f sleep 301 >/dev/null 2>&1")
    options = ["-F", str(lab.folder / "ssh_config")]
    with subprocess.Popen(["ssh", *options, "h1", "echo in; sleep 60"], stdout=-1) as session:
        assert session.stdout is not None
        session.stdout.read(3)
        host.stop_sshd()
        assert session.wait(timeout=180) == 255
    assert "sleep 301" in host.sh("ps ax")

    host.heal()


def test_systemd_host_runs_units(lab: Lab, systemd_host: LabHost) -> None:
    assert systemd_host.sh("systemctl is-system-running").strip() == "running"
    done = ssh(lab, "s1", "systemd-run --quiet --wait --collect sh -c 'echo ran >/root/unit'")

    assert done.returncode == 0, done.stderr
    assert systemd_host.sh("cat /root/unit") == "ran\n"


def test_inventory_names_address_key_and_host_key(lab: Lab) -> None:
    host = lab.host("h2")
    text = lab.inventory_text(["h2"])

    assert text.startswith("all:\n  hosts:\n    h2:\n")
    for part in (host.address, str(host.key_path), host.host_key):
        assert part in text
    assert "h1" not in text


def test_labs_stand_side_by_side_and_leave_nothing() -> None:
    with lab_of(1) as one, lab_of(1) as two:
        numbers = [one.number, two.number]
        assert one.number != two.number
        assert one.host("h1").address != two.host("h1").address
        assert ssh(one, "h1", "hostname").stdout == ssh(two, "h1", "hostname").stdout == "h1\n"

    assert [leftovers(number) for number in numbers] == [[], []]


OWNER = """
from tests.lab.fleet import Lab
lab = Lab()
lab.up(1)
print(lab.number, flush=True)
input()
"""


@pytest.mark.parametrize("fault", ["running", "frozen"])
def test_a_lab_whose_owner_was_killed_is_swept_away_by_the_next(fault: str) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=-1, stdout=-1, text=True) as owner:
        assert owner.stdout is not None
        number = int(owner.stdout.readline())
        if fault == "frozen":
            Path(f"/sys/fs/cgroup/freezer/orchlab{number}/h1/freezer.state").write_text("FROZEN")
        assert leftovers(number)
        os.kill(owner.pid, signal.SIGKILL)

    with Lab():
        pass
    # or by that of another process, which may be at it
    wait_for(lambda: leftovers(number) == [], "the end of the lab")


def test_a_kept_lab_stays_until_it_is_taken_down() -> None:
    def lab(*words: str) -> str:
        argv = [sys.executable, "-m", "tests.lab", *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    if lab("status"):
        pytest.skip("a lab is up that somebody plays with")
    try:
        assert "1 hosts up" in lab("up", "1")
        with Lab():
            pass
        assert lab("sh", "h1", "hostname") == "h1\n"
        name, *state = lab("status").split()
        assert state == ["h1", "up"]
    finally:
        lab("down")
    assert leftovers(int(name.removeprefix("orchlab"))) == []
