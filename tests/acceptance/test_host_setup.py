"""`orch host setup` on real hosts: ids that the first apply keeps, and a profile that is enough."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import Shop
from tests.acceptance.specs import web

pytestmark = pytest.mark.lab


def test_the_first_apply_keeps_the_ids_of_setup(shop: Shop) -> None:
    said = shop.orch("host", "setup", "all", "-yes", "-json").data()
    ids = {e["Host"]: e["NodeID"] for e in said}
    assert len(set(ids.values())) == 3
    shop.job(web(3))
    shop.apply()
    assert {n["Name"]: n["ID"] for n in shop.orch("node", "status", "-json").data()} == ids
    # a host that forgot who it was is not given another id
    shop.hosts[0].sh("rm -rf /var/lib/orch/node")
    done = shop.orch("host", "setup", "h1", "-yes", code=1)
    assert "no longer knows" in " ".join(done.out.split())
    assert shop.hosts[0].sh("ls /var/lib/orch/node 2>/dev/null || echo none") == "none\n"


def test_the_profile_is_all_that_a_user_needs(shop: Shop) -> None:
    shop.job(web(3))
    public = shop.hosts[0].sh("cat /root/.ssh/authorized_keys").strip()
    text = shop.orch("host", "setup", "-profile").out
    assert text.startswith("# What orch needs on h1, h2, h3, and no more.")
    script = text.replace("PUBLIC-KEY", public)
    sshd = "".join(
        f"{line.removeprefix('#   ')}\n"
        for line in text.partition("reload sshd.\n")[2].splitlines()
    )
    for host in shop.hosts:
        host.sh(f"{script}\ncat >>/etc/ssh/sshd_config <<'END'\n{sshd}END\n/usr/sbin/sshd -t")
        host.stop_sshd()
        host.heal()
    inventory = shop.repo / "inventory.yml"
    given = [x.removeprefix("#   ") for x in text.splitlines() if x.startswith("#   ")][:2]
    assert given == ["ansible_user: orch", "orch_data_dir: /var/lib/orch"]
    lines = inventory.read_text().replace("ansible_user: root", "ansible_user: orch")
    inventory.write_text(f"{lines}  vars: {{orch_data_dir: /var/lib/orch}}\n")
    shop.commit()

    checked = shop.orch("host", "check")
    assert [x.split()[:3] for x in checked.out.splitlines()[1:]] == [
        [h.name, "all", "ok"] for h in shop.hosts
    ]
    shop.apply()
    assert len(shop.live()) == 3
    users = {
        h.sh(f"stat -c %U /proc/{x.pid}")
        for h in shop.hosts
        for x in shop.live()
        if x.host == h.name
    }
    assert users == {"orch\n"}
    assert shop.orch("exec", shop.live()[0].alloc, "--", "id", "-un").out == "orch\n"
    shop.orch("stop", "-yes", "web")
