from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from gitops.ledger.journal import ProcessIdentity, RunInfo
from gitops.ledger.lease import Holder, LeaseWatch
from gitops.ledger.memory import memory_ledger
from gitops.ledger.process import is_gone, this_process
from gitops.ledger.protocol import RunHead


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def never_gone(_: ProcessIdentity) -> bool:
    return False


def run(head: str) -> RunHead:
    return RunHead(info=RunInfo(id="r1", holder="ann@box", ttl=30), head=head)


def test_a_journal_that_stands_still_is_abandoned_after_its_ttl() -> None:
    clock = Clock()
    watch = LeaseWatch(clock, never_gone)
    verdicts = [watch.state(run("a"))]
    for _ in range(3):
        clock.sleep(10)
        verdicts.append(watch.state(run("a")))
    assert verdicts == [Holder.WAITING, Holder.WAITING, Holder.WAITING, Holder.ABANDONED]


def test_a_beat_starts_the_time_anew() -> None:
    clock = Clock()
    watch = LeaseWatch(clock, never_gone)
    watch.state(run("a"))
    clock.sleep(29)
    assert watch.state(run("b")) is Holder.ALIVE
    clock.sleep(29)
    assert watch.state(run("b")) is Holder.WAITING


def test_waiting_ends_when_the_journal_moves_or_stands_still() -> None:
    ledger = memory_ledger()
    writer = ledger.open_run(RunInfo(id="r1", holder="ann@box", ttl=30))
    clock = Clock()

    def sleep_and_beat(seconds: float) -> None:
        clock.sleep(seconds)
        writer.beat()

    watch = LeaseWatch(clock, never_gone)
    assert watch.wait(ledger, "r1", sleep_and_beat)[0] is Holder.ALIVE
    started = clock.now
    verdict, snapshot = watch.wait(ledger, "r1", clock.sleep)
    assert verdict is Holder.ABANDONED
    assert verdict.adoptable
    assert clock.now - started >= 30
    assert snapshot.runs["r1"].info.holder == "ann@box"
    writer.close()
    assert watch.wait(ledger, "r1", clock.sleep)[0] is Holder.ENDED


def test_a_process_of_this_machine_that_ended_is_dead_at_once() -> None:
    script = (
        "from gitops.ledger.process import this_process as t; p = t();"
        "print(p.pid, p.start_time, p.boot_id, p.pid_namespace)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    pid, start, boot, space = done.stdout.decode().split()
    ended = ProcessIdentity(pid=int(pid), start_time=int(start), boot_id=boot, pid_namespace=space)
    assert is_gone(ended)
    info = RunInfo(id="r1", holder="ann@box", process=ended)
    assert LeaseWatch(Clock()).state(RunHead(info=info, head="a")) is Holder.DEAD


def test_only_what_can_be_told_is_gone() -> None:
    me = this_process()
    assert me.pid == os.getpid()
    assert not is_gone(me)
    assert is_gone(replace(me, start_time=me.start_time + 1))
    for elsewhere in (
        replace(me, boot_id="other", start_time=1),
        replace(me, pid_namespace="pid:[1]", start_time=1),
        ProcessIdentity(),
        replace(me, start_time=0),
    ):
        assert not is_gone(elsewhere)
