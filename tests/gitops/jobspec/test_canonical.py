"""What is filled in for blocks that few jobs have, and the constraints that they imply."""

from __future__ import annotations

from typing import Any

from planner.codec import to_json
from planner.job import SECOND
from tests.gitops.jobspec.specs import job_of, spec


def task_of(text: str) -> Any:  # noqa: ANN401 - JSON
    return to_json(job_of(spec(task=text)).task_groups[0].tasks[0])


def service_of(text: str) -> Any:  # noqa: ANN401 - JSON
    return to_json(job_of(spec(group=f"service {{\n{text}\n}}")).task_groups[0].services[0])


def implied(text: str) -> list[tuple[str, str, str]]:
    found = job_of(text).task_groups[0].constraints
    return [(c.l_target.strip("${}"), c.operand, c.r_target) for c in found]


def test_blocks_of_a_task_have_their_defaults() -> None:
    assert task_of("vault {\n}")["Vault"] == {
        "Policies": None,
        "Role": "",
        "Namespace": "",
        "Cluster": "default",
        "Env": True,
        "DisableFile": False,
        "ChangeMode": "restart",
        "ChangeSignal": "SIGHUP",
        "AllowTokenExpiration": False,
    }
    assert task_of("consul {\n}")["Consul"]["Cluster"] == "default"
    plugin = task_of('csi_plugin {\nid = "x"\ntype = "node"\n}')["CSIPluginConfig"]
    assert plugin["MountDir"] == "/csi"
    assert plugin["HealthTimeout"] == 30 * SECOND
    devices = task_of('resources {\ndevice "gpu" {\n}\n}')["Resources"]["Devices"]
    assert devices == [{"Name": "gpu", "Count": 1, "Constraints": None, "Affinities": None}]


def test_an_artifact_that_is_a_file_keeps_its_name() -> None:
    artifact = task_of('artifact {\nsource = "https://x/y/z.tar"\nmode = "file"\n}')

    assert artifact["Artifacts"][0]["RelativeDest"] == "local/z.tar"


def test_a_sidecar_has_its_defaults() -> None:
    upstream = 'upstreams {\ndestination_name = "api"\nlocal_bind_port = 8080\n}'
    sidecar = f"sidecar_service {{\nproxy {{\n{upstream}\n}}\n}}\nsidecar_task {{\n}}"
    connect = service_of(f"connect {{\n{sidecar}\n}}")["Connect"]

    assert connect["Native"] is False
    proxy = connect["SidecarService"]["Proxy"]
    assert proxy["Upstreams"][0]["DestinationName"] == "api"
    assert proxy["Upstreams"][0]["MeshGateway"] == {"Mode": ""}
    assert "ExposeConfig" not in proxy
    assert connect["SidecarTask"]["KillTimeout"] == 5 * SECOND
    assert connect["SidecarTask"]["Resources"]["MemoryMB"] == 300


def test_a_gateway_has_its_defaults() -> None:
    ingress = "ingress {\nlistener {\nport = 80\n}\n}"
    connect = service_of(f"connect {{\ngateway {{\nproxy {{\n}}\n{ingress}\n}}\n}}")["Connect"]

    assert connect["Gateway"]["Proxy"]["ConnectTimeout"] == 5 * SECOND
    assert connect["Gateway"]["Ingress"]["Listeners"][0]["Protocol"] == "tcp"
    assert connect["SidecarService"] is None


def test_consul_and_vault_are_implied_by_their_cluster() -> None:
    assert implied(spec(group="service {\n}")) == [("attr.consul.version", "semver", ">= 1.8.0")]
    assert implied(spec(group='service {\ncluster = "b"\n}')) == [
        ("attr.consul.b.version", "semver", ">= 1.8.0")
    ]
    assert implied(spec(task="vault {\n}")) == [("attr.vault.version", "semver", ">= 0.6.1")]


def test_signals_of_tasks_templates_and_vault_are_implied_together() -> None:
    template = 'template {\ndata = "x"\ndestination = "x"\nchange_mode = "signal"\n}'
    text = f'kill_signal = "SIGTERM"\n{template}\n'

    assert implied(spec(task=text)) == [("attr.os.signals", "set_contains", "SIGHUP,SIGTERM")]


def test_regions_and_links_have_their_fields() -> None:
    links = 'ui {\nlink {\nlabel = "a"\nurl = "b"\n}\n}'
    regions = 'multiregion {\nregion "x" {\n}\n}'
    job = to_json(job_of(spec(job=f"{links}\n{regions}")))

    assert job["UI"] == {"Description": "", "Links": [{"Label": "a", "Url": "b"}]}
    assert job["Multiregion"]["Strategy"] == {"MaxParallel": 0, "OnFailure": ""}
    assert job["Multiregion"]["Regions"][0]["Count"] == 1
