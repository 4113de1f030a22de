"""What is not healthy fails the rollout: exit 5, its log shown, the next allocation untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import Service, quoted

pytestmark = pytest.mark.lab

# Listens on the first argument's port and answers with the second's status; after as many seconds
# as the third says it closes the port, and goes on otherwise.
LISTENER = r"""
use IO::Socket::INET;
$| = 1;
print "speaking of port trouble\n";
my ($port, $status, $seconds) = @ARGV;
my $s = IO::Socket::INET->new(Listen => 9, LocalPort => $port, ReuseAddr => 1) or die $!;
$SIG{ALRM} = sub { close $s; sleep 86400 };
alarm $seconds;
while (my $c = $s->accept) {
    sysread $c, my $request, 4096;
    print $c "HTTP/1.0 $status X\r\n\r\n";
    close $c;
}
"""
SILENT = ("/bin/sh", "-c", "echo speaking of port trouble; exec sleep 86400")
UNWELL = ("/bin/sh", "-c", "echo speaking of port trouble; exit 3")
# What may be placed again fails nothing before the deadline for progress.
NEVER = "reschedule {\n attempts = 0\n unlimited = false\n }\n"
NO_RESTART = 'restart {\n attempts = 0\n mode = "fail"\n }'


def listener(status: int = 200, seconds: int = 86400) -> tuple[str, ...]:
    return ("/usr/bin/perl", "-e", LISTENER, "${NOMAD_PORT_http}", str(status), str(seconds))


def checked(kind: str) -> str:
    """Lines of a group with a port and a service with one check."""
    path = 'path = "/health"' if kind == "http" else ""
    return f"""
    network {{
      port "http" {{}}
    }}
    service {{
      name     = "front"
      provider = "nomad"
      port     = "http"
      check {{
        name     = "alive"
        type     = {quoted(kind)}
        interval = "1s"
        timeout  = "5s"
        {path}
      }}
    }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A second version that is not well, and what is said about it."""

    name: str
    command: tuple[str, ...]
    group: str
    says: str
    healthy_time: str = "1s"
    deadline: str = "8s"


CASES = [
    Case(name="port-never-opens", command=SILENT, group=checked("tcp"), says='"alive"'),
    Case(
        name="port-closes",
        command=listener(seconds=1),
        group=checked("tcp"),
        says='"alive"',
        healthy_time="3s",
        deadline="12s",
    ),
    Case(
        name="http-500",
        command=listener(500),
        group=checked("http"),
        says='"alive" (HTTP status 500)',
    ),
    Case(name="ends", command=UNWELL, group=NO_RESTART, says='"main" failed with exit code 3'),
    Case(name="restarts", command=UNWELL, group="", says="by the healthy deadline"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_a_rollout_fails(street: Shop, case: Case) -> None:
    well = Service(job=case.name, count=2, command=listener(), group=checked("tcp"))
    path = street.job(well.hcl(), case.name)
    street.orch("apply", "-auto-approve", str(path))
    before = street.live_allocs(case.name)

    bad = replace(well, command=case.command, group=NEVER + case.group)
    path.write_text(replace(bad, healthy_time=case.healthy_time, deadline=case.deadline).hcl())
    street.commit()
    failed = street.orch("apply", "-auto-approve", str(path), code=5)

    assert case.says in failed.err
    assert "The end of its log:\nspeaking of port trouble" in failed.err
    name = f"{case.name}.g[1]"
    assert street.live_allocs(case.name)[name] == before[name]
    status = street.orch("status", case.name).out
    assert "Failed due to unhealthy allocations" in status


# Hangs in its first run, and listens from its second one on.
SECOND_TIME = (
    "/bin/sh",
    "-c",
    "ran=$NOMAD_ALLOC_DIR/data/ran; "
    '[ ! -e $ran ] || exec /usr/bin/perl -e "$0" $NOMAD_PORT_http 200 86400; '
    "touch $ran; exec sleep 86400",
    LISTENER,
)
RESTARTED = """
        check_restart {
          limit = 2
          grace = "1s"
        }
        interval"""


def test_a_task_that_hangs_is_restarted_for_its_check(street: Shop) -> None:
    rule = checked("tcp").replace("interval", RESTARTED.strip("\n"), 1)
    service = Service(job="hung", command=SECOND_TIME, group=rule + 'restart {\n delay = "1s"\n }')
    path = street.job(service.hcl(), "hung")

    said = street.orch("apply", "-auto-approve", str(path))

    assert 'check "alive" unhealthy, restarting main' in said.err
    (alloc,) = street.decided("hung").allocs
    shown = street.orch("alloc", "status", alloc.id).out
    assert re.search(r'Restart Signaled +healthcheck: check "alive" unhealthy\n', shown), shown
    assert re.search(r"Restarting +Task restarting in 1\.\d+s\n", shown), shown
    assert re.search(r"Total Restarts += 1\n", shown), shown
    assert "Deployment completed successfully" in street.orch("status", "hung").out


@pytest.mark.parametrize("kind", ["tcp", "http"])
def test_what_is_well_passes(street: Shop, kind: str) -> None:
    job = f"well-{kind}"
    service = Service(job=job, command=listener(), group=checked(kind))
    path = street.job(service.hcl(), job)

    street.orch("apply", "-auto-approve", str(path))

    assert "Deployment completed successfully" in street.orch("status", job).out
    assert street.orch("plan", "-detailed-exitcode", str(path)).code == 0


def test_the_way_out_of_a_failure_is_a_good_version(street: Shop) -> None:
    bad = Service(job="mended", command=UNWELL, group=NEVER + NO_RESTART)
    path = street.job(bad.hcl(), "mended")
    street.orch("apply", "-auto-approve", str(path), code=5)
    assert street.live_allocs("mended") == {}

    path.write_text(replace(bad, command=SILENT).hcl())
    street.commit()
    street.orch("apply", "-auto-approve", str(path))

    assert list(street.live_allocs("mended")) == ["mended.g[0]"]
    assert street.orch("plan", "-detailed-exitcode", str(path)).code == 0
