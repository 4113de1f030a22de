"""`orch host check` on real hosts: what is missing there is found, and nothing is changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import web
from tests.lab.host import LabHost
from tests.lab.programs import run

pytestmark = pytest.mark.lab

USER = (
    "userdel -rf deploy 2>/dev/null; "
    "useradd -m -s /bin/sh -p '*' deploy && cp -r /root/.ssh ~deploy/ "
    "&& chown -R deploy: ~deploy/.ssh"
)


def findings(shop: Shop, host: str, code: int | None = 0) -> dict[str, dict[str, Any]]:
    """What was found on one host, by name."""
    (found,) = shop.orch("host", "check", "-json", host, code=code).data()
    return {f["Name"]: f for f in found["Findings"]}


def settings(shop: Shop, **variables: object) -> None:
    """Give every host more variables."""
    lines = "".join(f"    {k}: {v}\n" for k, v in variables.items())
    names = [h.name for h in shop.hosts]
    text = shop.lab.inventory_text(names).replace("      ansible_user: root\n", "")
    (shop.repo / "inventory.yml").write_text(f"{text}  vars:\n{lines}")
    shop.commit()


def test_a_good_host_has_no_trouble_and_keeps_no_trace(shop: Shop) -> None:
    shop.job(web(2))
    shop.apply()
    for host in shop.hosts:
        host.sh("mkdir -p /var/lib/orch/clusters/other")
    before = shop.everything()
    said = shop.orch("host", "check")
    assert shop.everything() == before
    assert [line.split()[:3] for line in said.out.splitlines()[1:4]] == [
        [h.name, "all", "ok"] for h in shop.hosts
    ]
    found = findings(shop, "h1")
    assert found["node"]["Detail"].startswith("enrolled, ")
    assert "other" in found["node"]["Detail"]


def test_a_host_whose_disk_can_t_be_written_is_looked_at_all_the_same(shop: Shop) -> None:
    shop.job(web(1))
    shop.apply()
    shop.settle()
    host = shop.hosts[0]
    data = "/var/lib/orch"
    host.sh(f"mount --bind {data} {data} && mount -o remount,bind,ro {data}")
    found = findings(shop, "h1", code=1)
    assert found["data directory"]["Result"] == "failed"
    assert [n for n, f in found.items() if f["Result"] == "failed"] == ["data directory"]


def test_hosts_that_are_not_reached(shop: Shop) -> None:
    one, two, three = shop.hosts
    one.stop_sshd()
    two.sh("rm /root/.ssh/authorized_keys")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(shop.root / "other")])
    other = (shop.root / "other.pub").read_text().rsplit(" ", 1)[0]
    inventory = shop.repo / "inventory.yml"
    inventory.write_text(inventory.read_text().replace(three.host_key, other))
    shop.commit()
    said = shop.orch("host", "check", code=4)
    assert said.err.splitlines()[-1] == "3 hosts: 3 not reached"
    rows = [line.split()[:4] for line in said.out.partition("\n\n")[0].splitlines()]
    assert rows[1] == ["h1", "login", "failed", "connection"]
    assert ["h2", "login", "failed", "permission"] in rows
    assert ["h3", "host", "key", "failed"] in rows
    assert "host key changed" in " ".join(said.out.split())


def test_a_user_without_rights(shop: Shop) -> None:
    host = shop.hosts[0]
    host.sh(USER)
    settings(shop, ansible_user="deploy", orch_data_dir="/var/lib/orch")
    found = findings(shop, "h1", code=1)
    assert "commands run as deploy" in found["shell"]["Detail"]
    folder = found["data directory"]
    assert folder["Result"] == "failed"
    assert "install -d -o deploy -g deploy -m 0711 /var/lib/orch" in folder["Remedy"]
    # the remedy is one
    host.sh(folder["Remedy"].splitlines()[1])
    assert findings(shop, "h1")["data directory"]["Result"] == "ok"
    host.sh("chmod 0777 /var/lib/orch")
    open_to_all = findings(shop, "h1")["data directory"]
    assert (open_to_all["Result"], open_to_all["Remedy"]) == (
        "warning",
        "As root on the host: chmod 0711 /var/lib/orch",
    )


def test_a_user_who_may_not_become_root_and_one_who_may(shop: Shop) -> None:
    host = shop.hosts[0]
    host.sh(USER)
    settings(shop, ansible_user="deploy", ansible_become="true")
    found = findings(shop, "h1", code=1)
    assert list(found) == ["login", "shell"]
    assert "sudo" in found["shell"]["Detail"]
    assert "sudoers" in found["shell"]["Remedy"]
    host.sh("echo 'deploy ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/orch")
    found = findings(shop, "h1")
    assert found["become"]["Detail"] == "root by sudo, without a password"


def test_a_user_without_a_shell(shop: Shop) -> None:
    shop.hosts[0].sh(USER.replace("/bin/sh", "/usr/sbin/nologin"))
    settings(shop, ansible_user="deploy")
    found = findings(shop, "h1", code=1)
    assert "not available" in found["shell"]["Detail"]


def test_a_hardened_sshd(shop: Shop) -> None:
    host = shop.hosts[0]
    for line in ("AllowTcpForwarding no", "MaxSessions 3"):
        host.configure_sshd(line)
    found = findings(shop, "h1")
    assert found["socket forwarding"]["Result"] == "not needed"
    for name in ("tcp forwarding", "sessions"):
        assert found[name]["Result"] == "warning", name
        assert "sshd_config" in found[name]["Remedy"]
    assert found["sessions"]["Detail"].startswith("3 at once")


def wrong_clock(host: LabHost, seconds: int) -> None:
    """Let `date` tell another time: the host shares the machine's clock."""
    host.sh(
        "mkdir -p /usr/local/bin; cat >/usr/local/bin/date <<'END'\n"
        f'#!/bin/sh\necho "$(($(/bin/date +%s) {seconds:+d}))000000001"\nEND\n'
        "chmod 755 /usr/local/bin/date"
    )


@pytest.mark.parametrize(
    ("seconds", "result", "told"), [(-30, "warning", "behind"), (4000, "failed", "ahead")]
)
def test_a_wrong_clock(shop: Shop, seconds: int, result: str, told: str) -> None:
    wrong_clock(shop.hosts[0], seconds)
    found = findings(shop, "h1", code=None)["clock"]
    assert found["Result"] == result
    assert told in found["Detail"]
    assert "NTP" in found["Remedy"]


def test_tools_that_are_missing(shop: Shop) -> None:
    host = shop.hosts[0]
    host.sh("mv $(command -v flock) /root/; mv $(command -v timeout) /root/")
    tools = findings(shop, "h1", code=1)["tools"]
    assert tools["Result"] == "failed"
    assert tools["Remedy"] == "Install coreutils, util-linux on the host."


def test_a_host_that_was_wiped_and_one_that_was_copied(shop: Shop) -> None:
    shop.job(web(3))
    shop.apply()
    one, two, three = shop.hosts
    two.sh("rm -rf /var/lib/orch/node")
    copy = one.sh("cat /var/lib/orch/node/id")
    three.sh(f"echo {copy.strip()} >/var/lib/orch/node/id")
    found = {r["Host"]: r for r in shop.orch("host", "check", "-json", code=1).data()}
    nodes = {h: next(f for f in r["Findings"] if f["Name"] == "node") for h, r in found.items()}
    assert {n["Result"] for n in nodes.values()} == {"failed"}
    assert "no longer knows" in nodes["h2"]["Detail"]
    assert "one is a copy" in nodes["h3"]["Detail"]


def test_docker_that_is_not_for_the_user(dock: Shop) -> None:
    host = dock.hosts[0]
    host.sh(USER)
    settings(dock, ansible_user="deploy")
    name = host.name
    (dock.repo / "jobs" / "d.nomad.hcl").write_text(
        'job "d" {\n  group "g" {\n    task "t" {\n      driver = "docker"\n'
        '      config { image = "busybox" }\n    }\n  }\n}\n'
    )
    dock.commit()
    found = findings(dock, name)["docker"]
    assert found["Result"] == "warning"
    assert "deploy may not use /var/run/docker.sock (root:docker)" in found["Detail"]
    host.sh("usermod -aG docker deploy")
    found = findings(dock, name)
    assert found["docker"]["Detail"].endswith(", answers deploy")
    assert found["socket forwarding"]["Result"] == "ok"
    host.configure_sshd("AllowStreamLocalForwarding no")
    found = findings(dock, name)
    assert found["socket forwarding"]["Result"] == "warning"
    told = dock.orch("node", "status", name, code=4).out  # the other one lets nobody in
    assert "= tcp, no unix sockets (docker's dial-stdio is used)\n" in told
