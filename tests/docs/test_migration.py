"""What pages of migration show before and after is the same: images, commands, ports, variables."""

from __future__ import annotations

from typing import Any

import yaml

from gitops.jobspec.load import load
from gitops.jobspec.variables import Variables
from planner.job import SECOND, Job, Task
from tests.demo.library import DOCS
from tests.demo.page import pieces

SECRETS = {"master_key": "k", "registry_password": "p"}


def files(page: str) -> dict[str, str]:
    """The files of a page, by path."""
    text = (DOCS / "migration" / page).read_text()
    return {piece.path: piece.text for piece in pieces(text) if piece.path}


def job_of(text: str, **given: str) -> Job:
    variables = Variables(flags=tuple(given.items()))
    return load(text, path="x.nomad.hcl", variables=variables).job


def tasks(job: Job) -> dict[tuple[str, str], Task]:
    return {(g.name, t.name): t for g in job.task_groups for t in g.tasks}


def test_compose_file_and_job_are_the_same() -> None:
    found = files("compose.md")
    services: dict[str, Any] = yaml.safe_load(found["compose.yaml"])["services"]
    job = job_of(found["jobs/shop.nomad.hcl"])
    (group,) = job.task_groups
    by_name = {task.name: task for task in group.tasks}

    assert set(by_name) == set(services)
    for name, service in services.items():
        config = by_name[name].config
        assert config["image"] == service["image"]
        assert config.get("args", []) == service.get("command", [])
        assert config.get("volumes", []) == service.get("volumes", [])
    web = services["web"]
    (network,) = group.networks
    (port,) = network.reserved_ports
    assert [f"{port.value}:{port.to}"] == web["ports"]
    assert by_name["web"].config["ports"] == [port.label]
    # In a group's network the other task is this machine.
    wanted = {k: v.replace("//cache:", "//127.0.0.1:") for k, v in web["environment"].items()}
    assert dict(by_name["web"].env) == wanted
    assert f"{by_name['web'].kill_timeout // SECOND}s" == web["stop_grace_period"]
    limit = web["deploy"]["resources"]["limits"]["memory"]
    assert f"{by_name['web'].resources.memory_mb}M" == limit
    (check,) = group.services[0].checks
    assert f"http://localhost{check.path}" in web["healthcheck"]["test"]
    assert f"{check.interval // SECOND}s" == web["healthcheck"]["interval"]
    assert f"{check.timeout // SECOND}s" == web["healthcheck"]["timeout"]


def test_kamal_configuration_and_jobs_are_the_same() -> None:
    found = files("kamal.md")
    before: dict[str, Any] = yaml.safe_load(found["config/deploy.yml"])
    shop = job_of(found["jobs/shop.nomad.hcl"], **SECRETS)
    redis = job_of(found["jobs/redis.nomad.hcl"])

    assert shop.id == before["service"]
    assert {g.name for g in shop.task_groups} == set(before["servers"])
    for (role, _), task in tasks(shop).items():
        config: dict[str, Any] = dict(task.config)
        image, _, tag = str(config["image"]).rpartition(":")
        assert image == f"{before['registry']['server']}/{before['image']}"
        assert tag
        assert config["volumes"] == before["volumes"]
        assert " ".join(config.get("args", [])) == before["servers"][role].get("cmd", "")
        assert set(task.env) == {*before["env"]["clear"], *before["env"]["secret"]}
        assert {k: task.env[k] for k in before["env"]["clear"]} == before["env"]["clear"]
    (port,) = shop.task_groups[0].networks[0].dynamic_ports
    assert port.to == before["proxy"]["app_port"]
    (check,) = shop.task_groups[0].services[0].checks
    wanted = before["proxy"]["healthcheck"]
    assert check.path == wanted["path"]
    assert check.interval == wanted["interval"] * SECOND
    accessory = before["accessories"]["redis"]
    ((_, server),) = tasks(redis).items()
    assert server.config["image"] == accessory["image"]
    (reserved,) = redis.task_groups[0].networks[0].reserved_ports
    assert f"{reserved.value}:{reserved.to or reserved.value}" == accessory["port"]


def test_nomad_job_differs_only_in_what_is_not_honoured() -> None:
    found = files("nomad.md")
    old = job_of(found["old/api.nomad.hcl"])
    new = job_of(found["jobs/api.nomad.hcl"])

    assert new.id == old.id
    (old_group,), (new_group,) = old.task_groups, new.task_groups
    assert new_group.networks == old_group.networks
    assert new_group.tasks[0].env == old_group.tasks[0].env
    assert old_group.tasks[0].templates
    assert not new_group.tasks[0].templates
