"""What is Nomad's and means nothing here, or nothing yet: a line each, with what to do instead."""

from __future__ import annotations

_HOSTS = "there is no server to talk to; hosts are in the inventory, see 'orch hosts list'"
_SSH = "hosts are reached by SSH, with its keys and known_hosts; leave it out"
_WATCHED = (
    "an apply is watched to its end; leave it out: what is interrupted, the next one goes on with"
)
_LISTS = "all is shown; leave it out, or pick from what -json prints"
_TEMPLATE = "there are no Go templates; take what you want from what -json prints"
_NAMES = "write JOB@NAMESPACE where a job is meant"
_DIFF = "only the last version's difference is shown; give -p"
_RIGHTS = "there are no tokens; what you may do is what SSH and Git let you do"
_SECRETS = "no secrets are fetched; give them as variables that are sensitive"

FLAGS = {
    "-address": _HOSTS,
    "-region": _HOSTS,
    "-ca-cert": _SSH,
    "-ca-path": _SSH,
    "-client-cert": _SSH,
    "-client-key": _SSH,
    "-tls-server-name": _SSH,
    "-tls-skip-verify": _SSH,
    "-token": _RIGHTS,
    "-consul-token": _RIGHTS,
    "-consul-namespace": _SECRETS,
    "-vault-token": _SECRETS,
    "-vault-namespace": _SECRETS,
    "-namespace": _NAMES,
    "-detach": _WATCHED,
    "-monitor": _WATCHED,
    "-hcl1": "job files are HCL 2; leave it out, and see what 'orch validate' says of them",
    "-policy-override": "there are no policies; leave it out",
    "-eval-priority": "a job's own priority counts; set it in the job file",
    "-preserve-counts": "what the file says is what runs; write the count there",
    "-preserve-resources": "what the file says is what runs; write the resources there",
    "-global": "there are no regions apart from each other; leave it out",
    "-no-shutdown-delay": "delays are kept; change shutdown_delay in the job file",
    "-diff": "a plan always shows what it changes; leave it out",
    "-diff-version": _DIFF,
    "-diff-tag": _DIFF,
    "-group": "name the allocation; 'orch job allocs JOB' lists them",
    "-full": "see a version with 'orch inspect -version N JOB'",
    "-all": "all that is kept is shown; leave it out",
    "-all-allocs": "all allocations that are kept are shown; leave it out",
    "-allocs": "a node's allocations are shown; leave it out",
    "-json-output": "a plan as JSON is -json",
    "-t": _TEMPLATE,
    "-filter": _LISTS,
    "-per-page": _LISTS,
    "-page-token": _LISTS,
    "-quiet": _LISTS,
    "-os": _LISTS,
    "-stale": "what was recorded last is shown; leave it out",
    "-self": "no host is this one; name it",
    "-with-vars": "values of variables are not recorded; the spec is shown with what came of them",
    "-hcl": "the text of a spec is in Git, at the commit that 'orch history' names",
    "-force-color": "colour goes to terminals only; leave it out",
    "-detailed": "all is shown; leave it out",
    "-ui": "there is no page; leave it out",
    "-connect": "the example is one for tasks without Connect; leave it out",
    "-template": "there is one example; leave it out",
    "-list-templates": "there is one example; leave it out",
}

_FILE = "change the job file, commit, and 'orch apply'"
_LATER = "not in orch yet"
_ACCESS = "there is no server to log in to; what you may do is what SSH and Git let you do"

WORDS = {
    "acl": _ACCESS,
    "login": _ACCESS,
    "agent": "there are no agents; 'orch dev' runs an embedded host to try things on",
    "agent-info": "there are no agents; see 'orch node status'",
    "config": "orch's settings are in orch.toml",
    "monitor": "there are no agents that log; see 'orch logs'",
    "namespace": "namespaces are listed in orch.toml",
    "operator": "there are no servers to operate; see 'orch ledger -help'",
    "quota": "there are no quotas",
    "scaling": f"a group's count is in its file: {_FILE}",
    "sentinel": "there are no policies",
    "tls": "hosts are reached by SSH",
    "ui": "there is no page; see 'orch status'",
    "var": "there are no variables beside those of job files: -var, -var-file, ORCH_VAR_name",
    "volume": "host volumes are in the inventory: orch_host_volumes",
    "job dispatch": f"parameterized jobs are {_LATER}",
    "job periodic": f"periodic jobs are {_LATER}",
    "job action": f"actions are {_LATER}; see 'orch exec -help'",
    "node meta": "meta is in the inventory: orch_meta",
    "node pool": "node pools are listed in orch.toml, and set in the inventory: orch_node_pool",
    "node config": "a host is configured in the inventory",
    "deployment unblock": "there are no regions apart from each other",
    "eval delete": "evaluations are forgotten by themselves",
    "alloc pause": f"schedules of tasks are {_LATER}",
    "server join": "there are no servers",
    "server force-leave": "there are no servers; an apply takes over from a run that has died",
    "service delete": "services are what runs; stop the job, or change its file",
    "system reconcile": "there is nothing to put right: summaries are counted when they are shown",
}
