"""The limits of the language: what each rule refuses, by the words that it begins with."""

from __future__ import annotations

import pytest

from tests.gitops.jobspec.specs import errors_of, job_of, spec


def service(lines: str) -> str:
    return spec(group=f'service {{\nport = "p"\nprovider = "nomad"\n{lines}\n}}')


def check(lines: str) -> str:
    return service(f'check {{\ntype = "tcp"\ninterval = "10s"\ntimeout = "2s"\n{lines}\n}}')


def constraint(lines: str) -> str:
    return spec(group=f"constraint {{\n{lines}\n}}")


LEFT = 'attribute = "${attr.a}"\n'
CSI = 'type = "csi"\nsource = "s"\nattachment_mode = "file-system"\n'


def volume(text: str, group: str = "") -> str:
    return spec(group=f'{group}\nvolume "v" {{\n{text}\n}}')


REFUSED = [
    # volumes
    (volume('type = "nfs"'), 'Invalid volume type "nfs"'),
    (volume('type = "host"'), "The volume has no source"),
    (volume('type = "host"\nsource = "s"\naccess_mode = "x"'), 'Invalid access mode "x"'),
    (volume('type = "host"\nsource = "s"\nmount_options {\nfs_type = "x"\n}'), "mount_options of"),
    (
        volume('type = "host"\nsource = "s"\naccess_mode = "single-node-reader-only"'),
        "The volume must be read-only",
    ),
    (volume(CSI), 'Invalid access mode ""'),
    (volume('type = "csi"\nsource = "s"\naccess_mode = "x"'), 'Invalid attachment mode ""'),
    (
        volume(CSI + 'access_mode = "single-node-writer"', "count = 2"),
        "single-node-writer with more than one allocation",
    ),
    (
        volume(CSI + 'access_mode = "multi-node-single-writer"', "count = 2"),
        "More than one writer",
    ),
    (
        volume('type = "host"\nsource = "s"\nper_alloc = true', "update {\ncanary = 1\n}"),
        "per_alloc with canaries",
    ),
    (
        volume('type = "host"\nsource = "s"\nper_alloc = true\nsticky = true'),
        "per_alloc with sticky",
    ),
    (spec(task='volume_mount {\nvolume = "v"\npropagation_mode = "x"\n}'), "Invalid propagation"),
    (spec(task='volume_mount {\nvolume = "v"\nselinux_label = "x"\n}'), "Invalid selinux_label"),
    # networks
    (spec(group='network {\nhostname = "a"\n}'), "hostname in mode host"),
    (spec(group='network {\nmode = "bridge"\nhostname = "a b"\n}'), 'Invalid hostname "a b"'),
    (
        spec(group='network {\nmode = "bridge"\nport "a" {\nignore_collision = true\n}\n}'),
        "ignore_collision in mode bridge",
    ),
    (
        spec(group='network {\nmode = "cni/x"\ncni {\nargs = {\na = "b;c"\n}\n}\n}'),
        "Invalid CNI argument",
    ),
    # what few tasks have
    (spec(task='resources {\ndevice "gpu" {\ncount = 0\n}\n}'), "Invalid count 0"),
    (
        spec(task='resources {\ndevice "gpu" {\nconstraint {\ndistinct_hosts = true\n}\n}\n}'),
        "distinct_hosts in a device",
    ),
    (spec(task='resources {\nnuma {\naffinity = "x"\n}\n}'), 'Invalid NUMA affinity "x"'),
    (spec(task='resources {\nnuma {\ndevices = ["x"]\n}\n}'), 'There is no device "x"'),
    (spec(task='vault {\nchange_mode = "x"\n}'), 'Invalid change_mode "x"'),
    (spec(task='csi_plugin {\ntype = "node"\n}'), "The plugin has no id"),
    (spec(task='csi_plugin {\nid = "x"\ntype = "x"\n}'), 'Invalid plugin type "x"'),
    (spec(task='action "a" {\n}'), "An action needs a name and a command"),
    (
        spec(
            task='template {\ndata = "x"\ndestination = "x"\nwait {\nmin = "2s"\nmax = "1s"\n}\n}'
        ),
        "Invalid wait",
    ),
    # services
    (spec(group='service {\naddress_mode = "driver"\n}'), "address_mode driver in a group"),
    (spec(task="service {\nconnect {\nsidecar_service {\n}\n}\n}"), "connect in a task"),
    (
        spec(group='service {\nprovider = "nomad"\nconnect {\nnative = true\n}\n}'),
        "connect without Consul",
    ),
    (
        spec(group='service {\nprovider = "nomad"\non_update = "ignore_warnings"\n}'),
        "on_update ignore_warnings without Consul",
    ),
    # placement that Nomad's schema takes and its rules refuse
    (constraint(LEFT + 'set_contains_any = "a,b"'), 'The operator "=" needs a value'),
    (spec(job='type = "system"\naffinity {\nattribute = "a"\nvalue = "b"\n}'), "affinity and"),
    (spec(job="spread {\n}"), "The spread has no attribute"),
    # job
    (spec(job='name = "a\\u0000"'), "Invalid job name"),
    (spec(job=f'ui {{\ndescription = "{"x" * 1001}"\n}}'), "The description is too long"),
    (spec(group="count = 50001"), "More than 50000 allocations"),
    (spec(job='type = "batch"\nperiodic {\n}'), "Either crons or cron is needed"),
    (
        spec(job='type = "batch"\nperiodic {\ncrons = ["@daily"]\ntime_zone = "Mars/Rim"\n}'),
        'Unknown time zone "Mars/Rim"',
    ),
    (spec(task="kill_timeout = null"), 'Invalid value of "kill_timeout"'),
    (
        spec(job='type = "batch"\nparameterized {\npayload = "x"\n}'),
        'Invalid payload "x"',
    ),
    (
        spec(
            job='type = "batch"\nparameterized {\nmeta_required = ["a"]\nmeta_optional = ["a"]\n}'
        ),
        "Meta keys are both",
    ),
    (spec(job="parameterized {\n}"), "parameterized needs"),
    # placement
    (constraint('value = "x"'), "The constraint has no attribute"),
    (constraint(LEFT), 'The operator "=" needs a value'),
    (constraint(LEFT + 'regexp = "("'), "Invalid regular expression"),
    (constraint(LEFT + 'semver = ">= x"'), "Invalid semver"),
    (constraint(LEFT + 'semver = "~> 1.0"'), "Invalid semver"),
    (constraint(LEFT + 'regexp = "(?=a)"'), "Invalid regular expression"),
    (constraint('attribute = "${env.HOME}"\nvalue = "a"'), 'Unsupported attribute "${env.HOME}"'),
    (constraint('attribute = "$attr.a"\nvalue = "a"'), 'Unsupported attribute "$attr.a"'),
    (
        spec(group='affinity {\nattribute = "${node.nonsense}"\nvalue = "a"\n}'),
        'Unsupported attribute "${node.nonsense}"',
    ),
    (constraint(LEFT + 'version = ">= x"'), "Invalid version"),
    (constraint(LEFT + 'operator = "is_set"\nvalue = "x"'), "is_set takes no value"),
    (constraint('operator = "distinct_hosts"\nvalue = "x"'), "Invalid distinct_hosts"),
    (constraint('distinct_property = "${attr.a}"\nvalue = "0"'), "Invalid distinct_property"),
    (spec(group='affinity {\nvalue = "x"\n}'), "The affinity has no attribute"),
    (spec(group=f'affinity {{\n{LEFT}operator = "is_set"\n}}'), 'Unknown operator "is_set"'),
    (spec(group="spread {\n}"), "The spread has no attribute"),
    (spec(group=f"spread {{\n{LEFT}weight = 0\n}}"), "Invalid weight 0"),
    (spec(group=f'spread {{\n{LEFT}target "a" {{\npercent = 101\n}}\n}}'), "Invalid percent 101"),
    (
        spec(group=f'spread {{\n{LEFT}target "a" {{\n}}\ntarget "a" {{\n}}\n}}'),
        'A second target "a"',
    ),
    (
        spec(
            group=f'spread {{\n{LEFT}target "a" {{\npercent = 60\n}}\n'
            'target "b" {\npercent = 60\n}\n}'
        ),
        "The targets add up to 120 percent",
    ),
    # policies
    (spec(group='update {\nhealth_check = "x"\n}'), 'Invalid health_check "x"'),
    (spec(group="update {\nauto_promote = true\n}"), "auto_promote without canaries"),
    (spec(group="update {\nstagger = 0\n}"), "Invalid stagger"),
    (spec(group='update {\nmin_healthy_time = "-1s"\n}'), "Invalid min_healthy_time"),
    (spec(group='update {\nprogress_deadline = "-1s"\n}'), "Invalid progress_deadline"),
    (spec(group='update {\nprogress_deadline = "5m"\n}'), "healthy_deadline is not less than"),
    (spec(group='restart {\ninterval = "1s"\n}'), "The restart interval is too short"),
    (spec(group="restart {\nattempts = -1\n}"), "Invalid restart block"),
    (spec(group='restart {\nattempts = 0\nmode = "delay"\n}'), "attempts = 0 with mode delay"),
    (spec(task='restart {\nmode = "x"\n}'), 'Invalid restart mode "x"'),
    (spec(group='reschedule {\ndelay = "1s"\n}'), "The reschedule delay is too short"),
    (spec(group='reschedule {\ndelay_function = "x"\n}'), 'Invalid delay_function "x"'),
    (spec(group='reschedule {\nmax_delay = "1s"\n}'), "Invalid max_delay"),
    (
        spec(group="reschedule {\nunlimited = false\nattempts = 2\n}"),
        "The reschedule interval is too short",
    ),
    (
        spec(group='reschedule {\nunlimited = false\nattempts = 5\ninterval = "2m"\n}'),
        "The reschedule attempts do not fit",
    ),
    (
        spec(
            group="reschedule {\nunlimited = false\nattempts = 50\n"
            'delay_function = "fibonacci"\ninterval = "1h"\n}'
        ),
        "The reschedule attempts do not fit",
    ),
    (spec(group="migrate {\nmax_parallel = -1\n}"), "Invalid max_parallel"),
    (spec(group='migrate {\nhealth_check = "x"\n}'), 'Invalid health_check "x"'),
    (spec(group='migrate {\nmin_healthy_time = "6m"\n}'), "Invalid deadlines"),
    (spec(job='type = "batch"', group="migrate {\n}"), "A migrate block in a batch job"),
    (spec(group='disconnect {\nlost_after = "-1s"\n}'), "Invalid disconnect block"),
    (
        spec(group='disconnect {\nlost_after = "1s"\nstop_on_client_after = "1s"\n}'),
        "lost_after together with",
    ),
    (spec(group='disconnect {\nreconcile = "x"\n}'), 'Invalid reconcile "x"'),
    (
        spec(job='type = "system"', group='disconnect {\nstop_on_client_after = "1s"\n}'),
        "stop_on_client_after in a system job",
    ),
    (spec(group="scaling {\n}"), "Invalid scaling limits"),
    (
        spec(group="count = 5\nscaling {\nmin = 1\nmax = 2\n}"),
        "The count 5 is out of the scaling limits",
    ),
    (spec(group='scaling {\nmax = 2\ntype = "x"\n}'), "Invalid scaling type"),
    # group
    (spec(group="ephemeral_disk {\nsize = 5\n}"), "Invalid size 5"),
    (spec(group='shutdown_delay = "-1s"'), "Invalid shutdown_delay"),
    (spec(group='max_run_duration = "1s"'), "max_run_duration in a service job"),
    (spec(job='type = "batch"', group="max_run_duration = 0"), "Invalid max_run_duration"),
    (spec(job='type = "system"', group=f"spread {{\n{LEFT}}}"), "affinity and spread"),
    (spec(task='lifecycle {\nhook = "prestart"\n}'), "The group has no main task"),
    (
        spec(group='task "u" {\ndriver = "x"\nleader = true\n}', task="leader = true"),
        "The group has two leaders",
    ),
    (spec(group='network {\nmode = "x"\n}'), 'Invalid network mode "x"'),
    (spec(group='network {\nport "a" {\nto = -2\n}\n}'), "Invalid port -2"),
    (spec(group='volume "v" {\ntype = "x"\nsource = "s"\n}'), 'Invalid volume type "x"'),
    (spec(group='volume "v" {\ntype = "host"\n}'), "The volume has no source"),
    # services
    (service('name = "a"\n}\nservice {\nport = "p"\nname = "a"\nprovider = "nomad"'), "A second"),
    (service('}\nservice {\nname = "b"'), "Two providers in one group"),
    (spec(group='service {\nprovider = "x"\n}'), 'Invalid provider "x"'),
    (service('address_mode = "x"'), 'Invalid address_mode "x"'),
    (service('address = "a"\naddress_mode = "host"'), "address needs address_mode auto"),
    (service('on_update = "x"'), 'Invalid on_update "x"'),
    (service('check {\ntype = "tcp"\ntimeout = "1s"\n}'), "The check has no valid interval"),
    (check("}\ncheck {\n"), 'Invalid check type ""'),
    (check('initial_status = "x"'), "Invalid initial_status"),
    (check(f'notes = "{"x" * 256}"'), "The notes are too long"),
    (check("check_restart {\nlimit = -1\n}"), "Invalid check_restart"),
    (check('on_update = "ignore"\ncheck_restart {\n}'), "check_restart together with"),
    (check("").replace('port = "p"', ""), "The check has no port"),
    (check("").replace('"tcp"', '"http"'), "An http check needs a path"),
    (
        check("").replace('"tcp"', '"script"').replace('"nomad"', '"consul"'),
        "A script check needs a command",
    ),
    # task
    (spec(task='kill_timeout = "-1s"'), "Invalid kill_timeout"),
    (spec(task='kill_timeout = "11m"'), "kill_timeout is longer than progress_deadline"),
    (spec(task='shutdown_delay = "-1s"'), "Invalid shutdown_delay"),
    (spec(group='task "a/b" {\ndriver = "x"\n}'), 'Invalid task name "a/b"'),
    (spec(group='task "x" {\ndriver = "x"\nlifecycle {\nhook = "x"\n}\n}'), 'Invalid hook "x"'),
    (spec(task='dispatch_payload {\nfile = "../x"\n}'), "The file lies outside"),
    (spec(task="resources {\ncores = -1\n}"), "Invalid cores -1"),
    (spec(task="resources {\ncores = 1\ncpu = 1\n}"), "cpu together with cores"),
    (spec(task="resources {\nmemory_max = 5\n}"), "Invalid memory_max 5"),
    (spec(task="resources {\nsecrets = 500\n}"), "Invalid secrets 500"),
    (spec(task="resources {\ndisk = 5\n}"), "disk is no longer a resource"),
    (spec(task="logs {\nmax_file_size = 0\n}"), "Invalid value 0"),
    (spec(task="template {\n}"), "Either source or data is needed"),
    (spec(task='template {\ndata = "x"\n}'), "The template has no destination"),
    (spec(task="artifact {\n}"), "The artifact has no source"),
    (spec(task='artifact {\nsource = "x"\nmode = "x"\n}'), 'Invalid mode "x"'),
    (spec(task='artifact {\nsource = "x"\ndestination = "../x"\n}'), "Invalid destination"),
]
TEMPLATES = [
    ('change_mode = "x"', 'Invalid change_mode "x"'),
    ('change_mode = "signal"\nenv = true', "env together with"),
    ('change_mode = "script"', "change_script is missing"),
    ('splay = "-1s"', "Invalid splay"),
    ('perms = "rw"', 'Invalid perms "rw"'),
    ('}\ntemplate {\ndestination = "a"\nsource = "b"', 'A second template for "a"'),
]
FROM_TEMPLATES = [
    (spec(task=f'template {{\ndata = "x"\ndestination = "a"\n{lines}\n}}'), summary)
    for lines, summary in TEMPLATES
]


@pytest.mark.parametrize(("text", "summary"), [*REFUSED, *FROM_TEMPLATES])
def test_refused(text: str, summary: str) -> None:
    found = [d.summary for d in errors_of(text)]
    assert any(s.startswith(summary) for s in found), found
    assert all(d.line > 0 for d in errors_of(text))


ALLOWED = [
    spec(
        job='type = "batch"\nperiodic {\ncrons = ["0 */2 * * mon-fri", "@hourly", "5 4 l * ?"]\n}'
    ),
    spec(job='type = "batch"\nparameterized {\nmeta_required = ["a"]\n}'),
    spec(job='type = "batch"', group="reschedule {\nattempts = 3\n}"),
    constraint(LEFT + 'version = ">= 1.2, < 2.0-beta"'),
    constraint(LEFT + 'set_contains = "a,b"'),
    constraint("distinct_hosts = true"),
    constraint('distinct_property = "${meta.rack}"\nvalue = "2"'),
    spec(group=f"spread {{\n{LEFT}}}"),
    check("check_restart {\nlimit = 3\n}"),
    service('name = "${JOB}-${NOMAD_ALLOC_INDEX}"'),
    spec(group='network {\nmode = "cni/x"\nport "a" {\nto = -1\n}\n}'),
    spec(task='artifact {\nsource = "x"\noptions {\nchecksum = "${meta.sum}"\n}\n}'),
    spec(group='update {\nprogress_deadline = "0s"\n}'),
]


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed(text: str) -> None:
    assert job_of(text).task_groups


@pytest.mark.parametrize(
    "spec_text",
    ["", "* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "*-5 * * * *", "a * * * *"],
)
def test_wrong_cron_expressions(spec_text: str) -> None:
    text = spec(job=f'type = "batch"\nperiodic {{\ncrons = ["{spec_text}"]\n}}')
    assert [d.summary for d in errors_of(text)] == [f'Invalid cron expression "{spec_text}"']
