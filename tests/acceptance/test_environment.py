"""What a raw_exec task finds: exactly Nomad's variables, and its directories."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import Shop

pytestmark = pytest.mark.lab

JOB = r"""job "env" {
  meta {
    owner = "job"
    level = "job"
  }
  group "g" {
    meta {
      level = "group"
    }
    network {
      port "http" {}
      port "static-p" {
        static = 8123
        to     = 9000
      }
    }
    task "main" {
      driver = "raw_exec"
      meta {
        level = "task"
      }
      config {
        command = "/bin/sh"
        args = ["-c",
          "tr '\\000' '\\n' </proc/$$/environ; echo; pwd; stat -c '%a %n' $LIST; sleep 86400"
        ]
      }
      env {
        GREETING = "from ${NOMAD_JOB_NAME} on ${node.unique.name}"
        LIST     = ". .. local secrets tmp ../alloc ../alloc/data ../alloc/tmp"
        PLAIN    = "$HOME ${unheard.of}"
      }
      resources {
        cpu    = 50
        memory = 64
        memory_max = 128
      }
    }
    update {
      min_healthy_time = "1s"
      healthy_deadline = "90s"
    }
  }
}
"""
LISTED = """\
777 .
755 ..
777 local
700 secrets
1777 tmp
777 ../alloc
777 ../alloc/data
1777 ../alloc/tmp
"""


def test_variables_and_directories(shop: Shop) -> None:
    shop.job(JOB)
    shop.apply()
    (live,) = shop.live()
    host = shop.lab.host(live.host)
    port = next(p.value for p in shop.decided("env").allocs[0].ports if p.label == "http")

    variables, _, rest = shop.logs("env", until="../alloc/tmp\n").partition("\n\n")
    found = dict(line.split("=", 1) for line in variables.splitlines())
    root = f"/var/lib/orch/alloc/{live.alloc}"

    assert 20000 <= port <= 32000
    assert {k: v for k, v in found.items() if k.startswith("NOMAD_")} == {
        "NOMAD_ALLOC_DIR": f"{root}/alloc",
        "NOMAD_TASK_DIR": f"{root}/main/local",
        "NOMAD_SECRETS_DIR": f"{root}/main/secrets",
        "NOMAD_ALLOC_ID": live.alloc,
        "NOMAD_SHORT_ALLOC_ID": live.alloc[:8],
        "NOMAD_ALLOC_NAME": "env.g[0]",
        "NOMAD_ALLOC_INDEX": "0",
        "NOMAD_GROUP_NAME": "g",
        "NOMAD_TASK_NAME": "main",
        "NOMAD_JOB_ID": "env",
        "NOMAD_JOB_NAME": "env",
        "NOMAD_DC": "dc1",
        "NOMAD_NAMESPACE": "default",
        "NOMAD_REGION": "global",
        "NOMAD_CPU_LIMIT": "50",
        "NOMAD_MEMORY_LIMIT": "64",
        "NOMAD_MEMORY_MAX_LIMIT": "128",
        "NOMAD_CPU_CORES": " ",
        **{f"NOMAD_META_{k}": "task" for k in ("level", "LEVEL")},
        **{f"NOMAD_META_{k}": "job" for k in ("owner", "OWNER")},
        "NOMAD_IP_http": host.address,
        "NOMAD_HOST_IP_http": host.address,
        "NOMAD_ADDR_http": f"{host.address}:{port}",
        "NOMAD_HOST_ADDR_http": f"{host.address}:{port}",
        "NOMAD_PORT_http": str(port),
        "NOMAD_ALLOC_PORT_http": str(port),
        "NOMAD_HOST_PORT_http": str(port),
        "NOMAD_IP_static_p": host.address,
        "NOMAD_HOST_IP_static-p": host.address,
        "NOMAD_ADDR_static_p": f"{host.address}:8123",
        "NOMAD_HOST_ADDR_static-p": f"{host.address}:8123",
        "NOMAD_PORT_static_p": "9000",
        "NOMAD_ALLOC_PORT_static-p": "9000",
        "NOMAD_HOST_PORT_static_p": "8123",
    }
    assert found["GREETING"] == f"from env on {live.host}"
    assert found["PLAIN"] == "$HOME ${unheard.of}"
    assert found["PATH"]
    assert found["HOME"] == "/root"
    where, _, listed = rest.partition("\n")
    assert where == f"{root}/main"
    assert listed.startswith(LISTED)
    assert not any(k.startswith(("ORCH", "SSH")) for k in found)
