"""What was found on hosts, in few words: which are fit, and whose clock is wrong. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low

from executors.findings import Finding, Result
from executors.host_findings import told
from gitops.host_reports import HostReport

_SHOWN = 20
_SECOND = 1_000_000_000
_CHECK = "orch host check"
# As many hosts that say the same are believed.
_WITNESSES = 2


def hosts(reports: Sequence[HostReport]) -> tuple[Finding, ...]:
    """Return a finding for all that are fit, if any is, and one for each that is not."""
    fit = sum(r.result is Result.OK for r in reports)
    bad = [r for r in reports if r.result is not Result.OK]
    found = [Finding(name="fit", detail=f"{fit} of {len(reports)}")] if fit else []
    found += [_trouble(r) for r in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        worse = any(r.result is Result.FAILED for r in bad[_SHOWN:])
        found.append(
            Finding(
                name=f"{len(bad) - _SHOWN} more",
                result=Result.FAILED if worse else Result.WARNING,
                detail="are not fit either",
                remedy=_CHECK,
            )
        )
    return tuple(found)


def _trouble(report: HostReport) -> Finding:
    first, *more = sorted(
        (f for f in report.findings if f.is_trouble), key=lambda f: f.result is not Result.FAILED
    )
    rest = f" (and {len(more)} more)" if more else ""
    return Finding(
        name=report.host,
        result=report.result,
        detail=f"{first.name}: {first.detail}{rest}",
        remedy=_CHECK,
    )


def clock(reports: Sequence[HostReport]) -> Finding:
    """Return how this machine's clock compares with those of the hosts that were reached."""
    clocks = [r.seen.clock for r in reports if r.seen is not None]
    if not clocks:
        detail = "no host was reached to compare it with"
        return Finding(name="clock", result=Result.NOT_NEEDED, detail=detail)
    off = [c for c in clocks if c.least > _SECOND]
    middle = median_low([c.offset for c in clocks])
    example = next(c for c in clocks if c.offset == middle)
    agree = len(off) == len(clocks) and len({c.offset > 0 for c in off}) == 1
    if agree and len(off) >= _WITNESSES:
        return Finding(
            name="clock",
            result=Result.WARNING,
            detail=f"all {len(off)} hosts say otherwise: theirs is {told(example)}",
            remedy="Set this machine's clock by NTP: timedatectl set-ntp true",
        )
    count = f"{len(clocks)} host{'s' if len(clocks) != 1 else ''}"
    return Finding(name="clock", detail=f"of {count}, the one in the middle is {told(example)}")
