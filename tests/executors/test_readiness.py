"""How far a clock is off is bounded by the round trip; what was found is judged by that."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from executors.findings import Finding, Result, worst
from executors.host_findings import Case, findings
from executors.readiness import ClockOffset, Readiness, offset
from executors.transport import HostError, HostFault
from gitops.fleet_findings import clock
from gitops.host_reports import HostReport
from inventory.model import Host, SshTarget

SECOND = 1_000_000_000
times = st.integers(0, 10**18)
spans = st.integers(0, 10 * SECOND)


@given(times, spans, spans, st.integers(-(10**12), 10**12))
def test_the_truth_is_within_the_bound(sent: int, there: int, back: int, ahead: int) -> None:
    told = sent + there + ahead
    found = offset(sent, sent + there + back, told if told % SECOND else told + 1)
    assert abs(found.offset - ahead) <= found.bound + 2


@given(times, spans, st.integers(0, 10**6))
def test_so_it_is_where_a_host_knows_whole_seconds_only(sent: int, trip: int, ahead: int) -> None:
    true = sent + trip // 2 + ahead * SECOND
    found = offset(sent, sent + trip, true // SECOND * SECOND)
    assert abs(found.offset - ahead * SECOND) <= found.bound + SECOND // 2 + 2


def report(name: str, seconds: float) -> HostReport:
    off = ClockOffset(offset=int(seconds * SECOND), bound=SECOND // 100, round_trip=SECOND // 50)
    gone = HostError(name, HostFault.OUTPUT, "")
    return HostReport(host=name, findings=(), seen=Readiness(clock=off, probe=gone))


def test_this_machine_s_clock_is_wrong_where_all_hosts_say_so() -> None:
    assert clock([]).result is Result.NOT_NEEDED
    assert clock([report("a", 30)]).result is Result.OK
    assert clock([report("a", 30), report("b", 0.2), report("c", 31)]).result is Result.OK
    assert clock([report("a", 30), report("b", -30)]).result is Result.OK
    found = clock([report("a", 30), report("b", 31)])
    assert found.result is Result.WARNING
    assert "30.000 s ahead of this machine's" in found.detail


def test_the_worst_counts() -> None:
    names = ("ok", "not needed", "warning")
    found = [Finding(name=n, result=Result(n)) for n in names]
    assert worst(found) is Result.WARNING
    assert worst(found[:2]) is Result.OK
    assert worst([]) is Result.OK


def test_what_a_host_says_stays_one_word_of_a_remedy() -> None:
    odd = "/srv/a b; reboot"
    facts = {"user": "u;id", "groups": "g$(id) docker", "data": odd, "data.kind": "folder"}
    seen = Readiness(
        facts={**facts, "data.owner": "root:root 755", "data.may": "rx"},
        lacks=("find", "grep", "stat"),
        clock=ClockOffset(offset=0, bound=1, round_trip=1),
        probe=HostError("h1", HostFault.OUTPUT, ""),
    )
    host = Host(name="h1", ssh=SshTarget(host="h1", address="h1"))
    remedies = {f.name: f.remedy for f in findings(Case(host=host, seen=seen))}
    command = shlex.split(remedies["data directory"].splitlines()[1])
    assert command == ["install", "-d", "-o", "u;id", "-g", "g$(id)", "-m", "0711", odd]
    assert remedies["tools"] == "Install coreutils, findutils, grep on the host."
