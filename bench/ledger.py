"""CPU of reading and changing ledgers of 1, 100 and 1000 jobs: ours and that of git below us."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from gitops.ledger.opening import Address, open_ledger
from planner.job import Job, Task, TaskGroup
from planner.recorded import AllocRecord, JobChange, JobVersion

COUNTS = (1, 100, 1000)


def job(n: int) -> JobChange:
    task = Task(name="t", driver="raw_exec")
    spec = Job(id=f"job{n}", name=f"job{n}", task_groups=(TaskGroup(name="g", tasks=(task,)),))
    return JobChange(
        key=spec.id,
        register=JobVersion(version=0, index=0, submit_time=1, job=spec),
        allocs=tuple(
            AllocRecord(id=f"{n}-{k}", name=f"{spec.id}.g[{k}]", group="g", node="h")
            for k in range(3)
        ),
    )


def measured(what: Callable[[], object]) -> str:
    """Return CPU ms of this process and of its children while `what` runs."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = [resource.getrusage(w) for w in who]
    what()
    after = [resource.getrusage(w) for w in who]
    spent = (
        (a.ru_utime + a.ru_stime - b.ru_utime - b.ru_stime) * 1000
        for a, b in zip(after, before, strict=True)
    )
    return " + ".join(f"{ms:5.1f}" for ms in spent)


def row(directory: Path, count: int, *, remote: bool) -> None:
    path = directory / f"{count}-{remote}.git"
    url = str(path)
    if remote:
        subprocess.run(["git", "init", "-q", "--bare", url], check=True)
        url = f"file://{path}"
    address = Address(url=url, cluster="bench", cache=directory / "cache")
    writer = open_ledger(address)
    changes = [job(n) for n in range(count)]
    snapshot = writer.commit(writer.read(), changes, message="all", guards=[])
    one = measured(lambda: writer.commit(snapshot, changes[:1], message="one", guards=[]))
    open_ledger(address).read()
    ledger = open_ledger(address)
    read = measured(ledger.read)
    recorded = ledger.read().recorded
    decode = measured(lambda: dict(recorded.jobs))
    kind = "remote" if remote else "local"
    print(f"{count:5} {kind:7} read {read}   decode all {decode}   commit one {one}")


def long_past(directory: Path, commits: int) -> None:
    """Read a ledger with a long past into a fresh cache, then one job's history."""
    path = directory / "long.git"
    writer = open_ledger(Address(url=str(path), cluster="bench", cache=directory / "writer"))
    changes = [job(n) for n in range(100)]
    snapshot = writer.commit(writer.read(), changes, message="all", guards=[])
    for n in range(commits):
        snapshot = writer.commit(snapshot, [changes[n % 100]], message="x", guards=[])
    cache = directory / "fresh"
    reader = open_ledger(Address(url=f"file://{path}", cluster="bench", cache=cache))
    first = measured(reader.read)
    small = size(cache)
    past = measured(lambda: list(reader.history("job7")))
    print(f"{commits:5} decisions: first read {first}, {small} KiB")
    print(f"{commits:5} decisions: history    {past}, {size(cache)} KiB")


def size(directory: Path) -> int:
    return sum(p.stat().st_size for p in directory.rglob("*") if p.is_file()) // 1024


def main() -> None:
    print("CPU ms: orch + git")
    with tempfile.TemporaryDirectory() as directory:
        for count in COUNTS:
            for remote in (False, True):
                row(Path(directory), count, remote=remote)
        long_past(Path(directory), 2000)


if __name__ == "__main__":
    main()
