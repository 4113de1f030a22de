from __future__ import annotations

import json
from dataclasses import replace

import pytest

from executors.stats import HostUsage, Usage
from gitops.view import status_json
from gitops.view.alloc_text import AllocCase, alloc_status
from gitops.view.amounts import size
from gitops.view.deployment_text import deployment_list, deployment_status
from gitops.view.eval_text import eval_list, eval_status
from gitops.view.job_text import job_history, job_list, job_status_text
from gitops.view.live import CheckResult, Live, NodeLive
from gitops.view.node_text import NodeCase, node_list, node_status
from gitops.view.options import StatusView
from planner.codec import from_json, to_json
from planner.failure import PlacementFailure
from planner.job import (
    Check,
    Job,
    Network,
    Port,
    ReschedulePolicy,
    Resources,
    Service,
    Task,
    TaskGroup,
)
from planner.node_score import NodeScore, kept
from planner.observed import (
    Node,
    NodeResources,
    Observed,
    ObservedAlloc,
    TaskEvent,
    TaskPhase,
    TaskState,
)
from planner.recorded import (
    AllocRecord,
    ClientStatus,
    Deployment,
    DeploymentGroup,
    DeploymentStatus,
    Desired,
    Evaluation,
    JobState,
    JobVersion,
    PortMapping,
)
from planner.request import Request, Verb
from planner.status import job_status, statuses

S = 1_000_000_000
T0 = 1_795_336_857 * S  # 2026-11-22T08:40:57Z
VIEW = StatusView(now=T0 + 110 * S)

JOB = Job(
    id="shop", name="shop", datacenters=("dc1",), task_groups=(TaskGroup(name="web", count=2),)
)
OLD = AllocRecord(
    id="aaaaaaaa-0000",
    name="shop.web[0]",
    group="web",
    node="h1",
    node_id="906a1a16-949f",
    desired=Desired.STOP,
    client=ClientStatus.COMPLETE,
    created=T0,
    modified=T0 + 60 * S,
)
NEW = replace(
    OLD,
    id="bbbbbbbb-1111",
    job_version=1,
    desired=Desired.RUN,
    client=ClientStatus.RUNNING,
    created=T0 + 50 * S,
    modified=T0 + 108 * S,
    evaluation="eeeeeeee-2222",
    deployment="dddddddd-3333",
    ports=(PortMapping(label="http", value=20001, to=80, host_ip="192.0.2.1"),),
)
DEPLOYMENT = Deployment(
    id="dddddddd-3333",
    job_version=1,
    status=DeploymentStatus.RUNNING,
    groups={"web": DeploymentGroup(desired_total=2, placed=1, require_progress_by=T0 + 600 * S)},
    created=T0 + 50 * S,
)
EVALUATION = Evaluation(
    id="eeeeeeee-2222",
    triggered_by="job-register",
    failures=("web",),
    queued={"web": 1},
    created=T0 + 50 * S,
    deployment="dddddddd-3333",
    reasons={
        "web": PlacementFailure(
            nodes_evaluated=1, nodes_exhausted=1, dimension_exhausted={"memory": 1}
        )
    },
    updates={"web": {"create": 2, "ignore": 1}},
)
STATE = JobState(
    key="shop",
    versions=(
        JobVersion(version=1, index=7, submit_time=T0 + 50 * S, job=JOB, commit="c0ffee"),
        JobVersion(version=0, index=3, submit_time=T0, job=replace(JOB, priority=40), stable=True),
    ),
    allocs=(OLD, NEW),
    deployments=(DEPLOYMENT,),
    evaluations=(EVALUATION,),
)
FOUND = statuses(STATE, None)


def shape(text: str) -> list[str]:
    return text.splitlines()


def test_the_status_of_a_job() -> None:
    assert (
        job_status_text(STATE, FOUND, VIEW)
        == """\
ID            = shop
Name          = shop
Submit Date   = 2026-11-22T08:41:47Z
Type          = service
Priority      = 50
Datacenters   = dc1
Namespace     = default
Node Pool     = default
Status        = running
Periodic      = false
Parameterized = false

Summary
Task Group  Queued  Starting  Running  Failed  Complete  Lost  Unknown
web         1       0         1        0       1         0     0

Placement Failure
Task Group "web":
  * Resources exhausted on 1 nodes
  * Dimension "memory" exhausted on 1 nodes

Latest Deployment
ID          = dddddddd
Status      = running
Description = Deployment is running

Deployed
Task Group  Desired  Placed  Healthy  Unhealthy  Progress Deadline
web         2        1       0        0          2026-11-22T08:50:57Z

Allocations
ID        Node ID   Task Group  Version  Desired  Status    Created    Modified
bbbbbbbb  906a1a16  web         1        run      running   1m ago     2s ago
aaaaaaaa  906a1a16  web         0        stop     complete  1m50s ago  50s ago
"""
    )


def test_an_older_orch_kept_no_reasons() -> None:
    old = replace(EVALUATION, reasons={}, updates={})
    text = job_status_text(replace(STATE, evaluations=(old,)), FOUND, VIEW)
    assert 'Placement Failure\nTask Group "web": 1 not placed\n' in text


def test_a_verbose_status_has_full_ids_times_and_evaluations() -> None:
    text = job_status_text(STATE, FOUND, replace(VIEW, verbose=True))
    assert "eeeeeeee-2222  50        job-register  complete  true" in text
    assert "bbbbbbbb-1111  eeeeeeee-2222  906a1a16-949f  h1         web" in text
    assert "2026-11-22T08:41:47Z  2026-11-22T08:42:45Z" in text


def test_a_short_status_is_the_header() -> None:
    text = job_status_text(STATE, FOUND, replace(VIEW, short=True))
    assert shape(text)[-1] == "Parameterized = false"


def test_jobs_of_which_only_allocations_are_known() -> None:
    found = JobState(key="web@ops", allocs=STATE.allocs)
    assert job_list([(found, FOUND)]) == (
        "ID   Type    Priority  Status   Submit Date  Namespace\n"
        "web  <none>  <none>    running  <none>       ops\n"
    )
    text = job_status_text(found, FOUND, VIEW)
    assert "Status      = running\n" in text
    assert "its spec comes back with the next apply" in text
    assert STATE.allocs[0].id[:8] in text
    assert dict(status_json.job_stub(found, FOUND))["Status"] == "running"
    ended = dict.fromkeys((a.id for a in STATE.allocs), ClientStatus.COMPLETE)
    assert dict(status_json.job_stub(found, ended))["Status"] == "dead"


def test_the_list_of_jobs() -> None:
    assert job_list([]) == "No running jobs\n"
    assert job_list([(JobState(key="gone"), {})]) == "No running jobs\n"
    assert job_list([(STATE, FOUND)]) == (
        "ID    Type     Priority  Status   Submit Date\n"
        "shop  service  50        running  2026-11-22T08:41:47Z\n"
    )


def test_the_list_names_namespaces_only_where_there_is_another() -> None:
    versions = (replace(STATE.versions[0], job=replace(JOB, namespace="ops")),)
    text = job_list([(replace(STATE, key="shop@ops", versions=versions), FOUND)])
    assert shape(text)[1].endswith("  ops")


def test_the_history_shows_what_each_version_changed() -> None:
    assert (
        job_history(STATE, diffs=True)
        == """\
Version     = 1
Stable      = false
Submit Date = 2026-11-22T08:41:47Z
Commit      = c0ffee
Diff        =\x20
+/- Job: "shop"
+/- Priority: "40" => "50"
    Task Group: "web"

Version     = 0
Stable      = true
Submit Date = 2026-11-22T08:40:57Z
"""
    )


def test_deployments() -> None:
    reverting = replace(
        DEPLOYMENT, groups={"web": replace(DEPLOYMENT.groups["web"], auto_revert=True)}
    )
    assert deployment_list([("shop", DEPLOYMENT)], VIEW) == (
        "ID        Job ID  Job Version  Status   Description\n"
        "dddddddd  shop    1            running  Deployment is running\n"
    )
    assert shape(deployment_status("shop", reverting, VIEW))[-2:] == [
        "Task Group  Auto Revert  Desired  Placed  Healthy  Unhealthy  Progress Deadline",
        "web         true         2        1       0        0          2026-11-22T08:50:57Z",
    ]
    assert deployment_list([], VIEW) == "No deployments found\n"


def test_a_deployment_shows_what_is_asked_of_it() -> None:
    asked = Request(
        id="r1",
        verb=Verb.PROMOTE,
        deployment=DEPLOYMENT.id,
        by="ann@\x1b[2Jbox",
        time=VIEW.now - 12 * S,
    )
    other = replace(asked, id="r2", deployment="another", verb=Verb.FAIL)
    state = replace(STATE, requests=(asked, other))
    shown = deployment_status("shop", DEPLOYMENT, VIEW, state.asked_of(DEPLOYMENT.id))
    assert shape(shown)[-3:] == [
        "Waiting Requests",
        "Request  Asked By  Asked",
        "promote  ann@box   12s ago",
    ]
    data = status_json.deployment_data(state, DEPLOYMENT)
    assert [r["ID"] for r in data["Requests"]] == ["r1"]


EVENTS = tuple(
    TaskEvent(time=T0 + i * S, type=t, message="\x1b[2Jm") for i, t in enumerate("ABCDEFGHIJKL")
)
SEEN = ObservedAlloc(
    id=NEW.id,
    node="h1",
    name=NEW.name,
    job_id="shop",
    group="web",
    cpu=100,
    memory_mb=1536,
    tasks={"main": TaskState(state=TaskPhase.RUNNING, started_at=T0, events=EVENTS)},
)
NODE = Node(
    name="h1",
    id="906a1a16-949f",
    address="192.0.2.1",
    drivers=frozenset({"docker", "raw_exec"}),
    attributes={"kernel.name": "linux", "os.name": "debian"},
    resources=NodeResources(cpu=4000, memory_mb=8192, disk_mb=100_000),
)
OBSERVED = Observed(nodes={"h1": NODE}, allocs={SEEN.id: SEEN})


def test_an_allocation_with_its_latest_events() -> None:
    lines = shape(alloc_status(AllocCase(state=STATE, alloc=NEW, seen=SEEN), VIEW, FOUND))
    assert "Client Description  = Tasks are running" in lines
    assert "*http  yes      192.0.2.1:20001 -> 80" in lines
    assert 'Task "main" is "running"' in lines
    events = lines[lines.index("Recent Events:") + 2 :]
    assert len(events) == 10
    assert events[0] == "2026-11-22T08:41:08Z  L     m"


def service_state() -> JobState:
    """The job with a service, a check and a task whose spec is kept."""
    check = Check(name="alive", type="tcp", interval=S, timeout=S)
    service = Service(name="shop-web", port_label="http", checks=(check,), provider="nomad")
    task = Task(name="main", driver="raw_exec", resources=Resources(cpu=500, memory_mb=256))
    port = Port(label="http", to=80)
    group = TaskGroup(
        name="web",
        count=2,
        services=(service,),
        tasks=(task,),
        networks=(Network(dynamic_ports=(port,)),),
    )
    version = replace(STATE.versions[0], job=replace(JOB, task_groups=(group,)))
    return replace(STATE, versions=(version, *STATE.versions[1:]))


def test_an_allocation_as_it_lives() -> None:
    events = (
        TaskEvent(time=T0, type="Received", message="Task received by client"),
        TaskEvent(time=T0, type="Task Setup", message="Building Task Directory"),
        TaskEvent(time=T0 + 14 * S, type="Started", message="Task started by client"),
    )
    task = TaskState(state=TaskPhase.RUNNING, started_at=T0 + 14 * S, events=events)
    live = Live(
        usage={"main": Usage(cores=0.02, memory=2_831_155)},
        node=replace(NODE, resources=replace(NODE.resources, cores=4)),
        checks=(CheckResult(service="shop-web", task="", name="alive"),),
    )
    seen = replace(SEEN, tasks={"main": task})
    case = AllocCase(state=service_state(), alloc=NEW, seen=seen, live=live)
    assert (
        alloc_status(case, replace(VIEW, stats=True), FOUND)
        == """\
ID                  = bbbbbbbb-1111
Eval ID             = eeeeeeee
Name                = shop.web[0]
Node ID             = 906a1a16
Node Name           = h1
Job ID              = shop
Job Version         = 1
Client Status       = running
Client Description  = Tasks are running
Desired Status      = run
Desired Description = <none>
Created             = 1m ago
Modified            = 2s ago
Deployment ID       = dddddddd
Deployment Health   = unset

Allocation Addresses:
Label  Dynamic  Address
*http  yes      192.0.2.1:20001 -> 80

Nomad Service Checks:
Service   Task     Name   Mode         Status
shop-web  (group)  alive  healthiness  success

Task "main" is "running"
Task Resources:
CPU         Memory           Disk     Addresses
20/500 MHz  2.7 MiB/256 MiB  300 MiB

Memory Stats
RSS
2.7 MiB

CPU Stats
Percent
2.00%

Task Events:
Started At     = 2026-11-22T08:41:11Z
Finished At    = N/A
Total Restarts = 0
Last Restart   = N/A

Recent Events:
Time                  Type        Description
2026-11-22T08:41:11Z  Started     Task started by client
2026-11-22T08:40:57Z  Task Setup  Building Task Directory
2026-11-22T08:40:57Z  Received    Task received by client
"""
    )
    data = status_json.live_data(case.tasks, live)
    assert data["Usage"] == {"main": {"CPU": 20, "RSS": 2_831_155}}
    assert data["Checks"][0]["Status"] == "success"


def test_how_good_nodes_were_when_an_allocation_was_placed() -> None:
    parts = {"binpack": 0.12444, "job-anti-affinity": 0.0, "node-affinity": 0.0}
    scores = (
        NodeScore(node="h2", parts={**parts, "job-anti-affinity": -0.5}, final=-0.18778),
        NodeScore(node="h1", parts=parts, final=0.12444),
    )
    alloc = replace(STATE.allocs[1], scores=kept(scores))
    case = AllocCase(state=STATE, alloc=alloc)
    assert "Placement Metrics" not in alloc_status(case, VIEW, FOUND)
    text = alloc_status(case, replace(VIEW, verbose=True), FOUND)
    assert text.endswith(
        "\nPlacement Metrics\n"
        "Node  binpack  job-anti-affinity  node-affinity  final score\n"
        "h1    0.124    0                  0              0.124\n"
        "h2    0.124    -0.5               0              -0.188\n"
    )
    assert from_json(AllocRecord, to_json(alloc)) == alloc


def test_a_failed_allocation_says_when_it_may_be_placed_again() -> None:
    state = service_state()
    (group,) = state.versions[0].job.task_groups
    group = replace(group, reschedule_policy=ReschedulePolicy(unlimited=True, delay=60 * S))
    version = replace(state.versions[0], job=replace(JOB, task_groups=(group,)))
    state = replace(state, versions=(version,))
    dead = TaskState(state=TaskPhase.DEAD, failed=True, finished_at=VIEW.now - 25 * S)
    alloc = replace(NEW, client=ClientStatus.FAILED, tasks={"main": dead})
    lines = shape(alloc_status(AllocCase(state=state, alloc=alloc), VIEW, {}))
    assert "Reschedule Eligibility = 35s from now" in lines
    assert "500 MHz  256 MiB  300 MiB" in lines


def test_evaluations() -> None:
    assert eval_list([], VIEW) == "No evaluations found\n"
    lines = shape(eval_list([(STATE, EVALUATION)], VIEW))
    assert lines == [
        "ID        Priority  Triggered By  Job ID  Namespace  Node ID  Status    "
        "Placement Failures",
        "eeeeeeee  50        job-register  shop    default    <none>   complete  true",
    ]
    assert (
        eval_status(STATE, EVALUATION, VIEW)
        == """\
ID                 = eeeeeeee
Create Time        = 1m ago
Modify Time        = 1m ago
Status             = complete
Status Description = complete
Type               = service
TriggeredBy        = job-register
Job ID             = shop
Namespace          = default
Priority           = 50
Placement Failures = true
Previous Eval      = <none>
Next Eval          = <none>
Blocked Eval       = <none>

Plan Annotations
Task Group  Ignore  Place  Stop  InPlace  Destructive
web         1       2      0     0        0

Failed Placements
Task Group "web" (failed to place 1 allocation):
  * Resources exhausted on 1 nodes
  * Dimension "memory" exhausted on 1 nodes
"""
    )


def test_a_short_allocation_lists_its_tasks() -> None:
    case = AllocCase(state=STATE, alloc=NEW, seen=SEEN)
    lines = shape(alloc_status(case, replace(VIEW, short=True), FOUND))
    assert lines[-1] == "main  running  L           2026-11-22T08:41:08Z  main"


def test_nodes() -> None:
    unknown = Node(name="h2", reason="no answer", eligible=False, node_class="big")
    assert node_list([unknown, NODE], VIEW) == (
        "ID        Node Pool  DC   Name  Class   Drain  Eligibility  Status\n"
        "906a1a16  default    dc1  h1    <none>  false  eligible     ready\n"
        "<none>    default    dc1  h2    big     false  ineligible   ready\n"
    )


def test_one_node() -> None:
    case = NodeCase(node=NODE, observed=OBSERVED, allocs=(NEW,))
    lines = shape(node_status(case, FOUND, replace(VIEW, verbose=True)))
    assert "Driver Status = docker,raw_exec" in lines
    assert "100/4000 MHz  1.5 GiB/8 GiB  0 B/98 GiB  1" in lines
    assert lines[-2:] == ["kernel.name = linux", "os.name     = debian"]


def test_what_a_node_really_uses() -> None:
    usage = HostUsage(
        host=Usage(cores=1.5, memory=783 << 20),
        memory_total=24 << 30,
        disk=21 << 30,
        disk_total=252 << 30,
        tasks={(NEW.id, "main"): Usage(cores=0.01, memory=660 << 10)},
    )
    node = replace(NODE, resources=replace(NODE.resources, cores=2))
    live = NodeLive(usage=usage, allocs=(NEW.id,))
    case = NodeCase(node=node, observed=OBSERVED, allocs=(NEW,), live=live)
    text = node_status(case, FOUND, VIEW)
    assert (
        """
Allocation Resource Utilization
CPU          Memory
20/4000 MHz  660 KiB/24 GiB

Host Resource Utilization
CPU            Memory          Disk
3000/4000 MHz  783 MiB/24 GiB  21 GiB/252 GiB
"""
        in text
    )


@pytest.mark.parametrize(
    ("megabytes", "text"), [(0, "0 B"), (300, "300 MiB"), (1024, "1 GiB"), (9_999_999, "9.5 TiB")]
)
def test_sizes(megabytes: int, text: str) -> None:
    assert size(megabytes) == text


def test_json_counterparts_are_plain_data() -> None:
    whole = {
        "job": status_json.job_status_data(STATE, FOUND),
        "nodes": status_json.node_data(OBSERVED.nodes.values()),
        "spec": status_json.job_data(STATE, 0),
        "none": status_json.job_data(STATE, 9),
    }
    back = json.loads(json.dumps(whole))
    assert back["job"]["Job"]["Status"] == "running"
    assert back["job"]["Summary"]["web"]["Queued"] == 1
    assert back["job"]["LatestDeployment"]["TaskGroups"]["web"]["DesiredTotal"] == 2
    assert back["spec"]["Priority"] == 40
    assert back["none"] is None


def stopped(kind: str = "service") -> JobState:
    job = replace(JOB, type=kind, stop=True)
    return replace(STATE, versions=(replace(STATE.versions[0], job=job),), deployments=())


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (STATE, "running"),
        (replace(STATE, deployments=()), "running"),
        (replace(STATE, deployments=(), allocs=(OLD,)), "pending"),
        (replace(STATE, deployments=(), allocs=(OLD,), evaluations=()), "dead"),
        (replace(STATE, deployments=(), allocs=(), evaluations=()), "pending"),
        (replace(stopped(), allocs=(OLD,), evaluations=()), "dead (stopped)"),
        (stopped(), "running (stopped)"),
        (stopped("system"), "dead (stopped)"),
        (JobState(key="gone"), "dead"),
    ],
)
def test_the_word_for_a_job(state: JobState, word: str) -> None:
    assert job_status(state, statuses(state, None)) == word


def test_statuses_come_from_the_hosts_where_they_answer() -> None:
    silent = Observed(nodes={}, allocs={})
    assert statuses(STATE, OBSERVED)[NEW.id] is ClientStatus.RUNNING
    assert statuses(STATE, silent)[NEW.id] is ClientStatus.UNKNOWN
