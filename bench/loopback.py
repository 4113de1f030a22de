"""Hosts on the loopback network: 127.1.0.0/16 on one port, played by a process of their own.

Either one asyncssh server, which answers every command with nothing and the probe with a canned
answer of 50 containers (`bench/loopback_server.py`), or OpenSSH's sshd, which does the same at its
own, much higher price.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = Path(__file__).parent / "loopback_server.py"
CONTAINERS = 50
# What all clients of the benchmark speak, and what asyncssh and newer OpenSSH would rather have.
EQUAL = "curve25519-sha256,curve25519-sha256@libssh.org"
POST_QUANTUM = "mlkem768x25519-sha256"
CLUSTER = "bench"
NODE = "6f6e2d10-0000-4000-8000-000000000000"
# Real hosts take as many logins at once as the clients send.
SSHD = """
ListenAddress 0.0.0.0:{port}
HostKey {top}/host_key
AuthorizedKeysFile {top}/key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
MaxStartups 2000
LogLevel ERROR
ForceCommand case $SSH_ORIGINAL_COMMAND in *orch-probe*) cat {top}/answer ;; *) : ;; esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loopback:
    """One process that plays all hosts."""

    port: int
    key: Path
    host_key: str
    known_hosts: Path


def address(number: int) -> str:
    """Return where host `number` listens."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


@contextmanager
def loopback(top: Path, *, real: bool, key_exchange: str = EQUAL) -> Iterator[Loopback]:
    """Start the hosts, and end them; real ones have the key exchanges of their OpenSSH."""
    if not (top / "key").exists():
        _write_files(top)
    port = _free_port()
    if real:
        Path("/run/sshd").mkdir(exist_ok=True)
        (top / "sshd_config").write_text(SSHD.format(port=port, top=top))
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        argv = [program, "-D", "-e", "-f", str(top / "sshd_config")]
    else:
        names = ("key.pub", "host_key", "answer")
        files = (str(top / n) for n in names)
        argv = [sys.executable, str(SERVER), str(port), *files, key_exchange]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        _wait(port)
        yield _described(top, port)
    finally:
        process.terminate()
        process.wait()


def _write_files(top: Path) -> None:
    import asyncssh

    for name in ("key", "host_key"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        (top / name).touch(mode=0o600)
        key.write_private_key(top / name)
        key.write_public_key(top / f"{name}.pub")
    (top / "answer").write_text(answer(top / "data"))


def _described(top: Path, port: int) -> Loopback:
    host_key = " ".join((top / "host_key.pub").read_text().split()[:2])
    known = top / f"known_hosts-{port}"
    known.write_text("".join(f"[{address(n)}]:{port} {host_key}\n" for n in range(1000)))
    return Loopback(port=port, key=top / "key", host_key=host_key, known_hosts=known)


def _free_port() -> int:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        return int(server.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the loopback hosts don't answer")


def answer(data: Path) -> str:
    """Return what this machine's probe prints of 50 allocations that are containers."""
    from executors import probe

    for n in range(CONTAINERS):
        _write_alloc(data, n)
    _write(data / "format", "1\n")
    _write(data / "node/id", f"{NODE}\n")
    _write(data / f"clusters/{CLUSTER}/fences/redis", "1 17 0123456789abcdef\n")
    command = probe.command(str(data), CLUSTER)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    left_out = ("container\t", "docker\t", "stranger\t", "fact\tdocker.", "end\t")
    own = [x for x in done.stdout.splitlines() if not x.startswith(left_out)]
    docker = ["fact\tdocker.version\t27.3.1", "fact\tdocker.os_type\tlinux", "tool\tdocker"]
    containers = [_container(n) for n in range(CONTAINERS)]
    lines = [*own, *docker, *containers, "docker\tup", "end\torch-probe"]
    return "".join(f"{line}\n" for line in lines)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _form(n: int) -> dict[str, object]:
    return {
        "memory": 256 << 20,
        "reservation": 0,
        "shares": 500,
        "quota": 0,
        "period": 0,
        "nano_cpus": 0,
        "cpuset": "",
        "policy": "always",
        "retries": 0,
        "image": f"sha256:{n % 7:064x}",
    }


def _name(n: int) -> tuple[str, str, str]:
    alloc = f"{n:08x}-1111-4222-8333-944445555666"
    return alloc, f"redis-{alloc}", f"{n + 1:064x}"


def _write_alloc(data: Path, n: int) -> None:
    alloc, name, container = _name(n)
    record = {
        "cluster": CLUSTER,
        "token": f"{alloc}-0001",
        "job": "redis",
        "namespace": "default",
        "group": "cache",
        "name": f"redis.cache[{n}]",
        "version": 3,
        "index": 17,
        "created": 1764079200000000000 + n,
        "cpu": 500,
        "memory": 256,
        "disk": 300,
        "spec": f"{n % 7:016x}",
        "port.db": 20000 + n,
    }
    bound = {"id": container, "name": name, **_form(n), "env": "0123456789abcdef", "batch": 0}
    bound["ports"] = f"*:{20000 + n}->6379/tcp *:{20000 + n}->6379/udp"
    state = {"state": "running", "failed": 0, "restarts": 0, "started": 1764079201000000000 + n}
    state |= {"finished": 0, "last_restart": 0, "exit_code": "", "signal": 0}
    folder = data / "records" / alloc
    events = (
        f"{1764079200000000000 + n}\tReceived\tTask received by client\n"
        f"{1764079200100000000 + n}\tTask Setup\tBuilding Task Directory\n"
        f"{1764079201000000000 + n}\tStarted\tTask started by client\n"
    )
    _write(folder / "record", _pairs(record))
    _write(folder / "tasks/redis/container", _pairs(bound))
    _write(folder / "tasks/redis/state", _pairs(state))
    _write(folder / "tasks/redis/events", events)


def _pairs(pairs: Mapping[str, object]) -> str:
    return "".join(f"{k}={v}\n" for k, v in pairs.items())


def _container(n: int) -> str:
    alloc, name, container = _name(n)
    binding = f'[{{"HostIp":"","HostPort":"{20000 + n}"}}]'
    said = {
        "id": container,
        "name": f"/{name}",
        "status": "running",
        "exit": 0,
        "oom": "false",
        "started": "2026-11-25T14:00:01.123456789Z",
        "finished": "0001-01-01T00:00:00Z",
        "restarts": 0,
        "health": "",
        "error": '""',
        **_form(n),
        "ports": f'{{"6379/tcp":{binding},"6379/udp":{binding}}}',
        "cluster": CLUSTER,
        "alloc": alloc,
    }
    return "\t".join(["container", *(f"{k}\t{v}" for k, v in said.items())])
