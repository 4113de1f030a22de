"""A check with a secret is made with it by an apply, and by nobody who does not know it."""

from __future__ import annotations

import sys
from pathlib import Path

from executors.dev import DevHost
from tests.cli.background import Background
from tests.cli.place import CONFIG, made, place_on

SECRET = "hunter2-correct-horse"
SERVER = """\
import http.server, os, pathlib
class Guarded(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers["Authorization"] == pathlib.Path(os.environ["KNOWN"]).read_text()
        self.send_response(200 if known else 401)
        self.end_headers()
http.server.HTTPServer(("", int(os.environ["NOMAD_PORT_http"])), Guarded).serve_forever()
"""
JOB = f"""\
variable "password" {{
  type      = string
  sensitive = true
}}
job "guarded" {{
  update {{
    min_healthy_time = "0s"
    healthy_deadline = "30s"
  }}
  group "app" {{
    network {{
      port "http" {{}}
    }}
    service {{
      name     = "web"
      port     = "http"
      provider = "nomad"
      check {{
        name     = "knows"
        type     = "http"
        path     = "/"
        interval = "1s"
        timeout  = "5s"
        header {{
          Authorization = [var.password]
        }}
      }}
    }}
    task "server" {{
      driver       = "raw_exec"
      kill_timeout = "1s"
      config {{
        command = "{sys.executable}"
        args    = ["@server@"]
      }}
      env {{
        KNOWN = "@known@"
      }}
      resources {{
        cpu    = 20
        memory = 64
      }}
    }}
  }}
}}
"""


def test_a_check_has_its_secret_where_that_is_known(background: Background, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "known").write_text(SECRET)
    spec = JOB.replace("@server@", str(tmp_path / "server.py"))
    files = {
        "orch.toml": CONFIG,
        "jobs/guarded.nomad.hcl": spec.replace("@known@", str(tmp_path / "known")),
    }
    known = {"ORCH_VAR_password": SECRET, "ORCH_KEY": "k" * 40}
    with background.serving(DevHost(tmp_path / "dev")) as dev:
        place = made(place_on(dev, tmp_path), files)
        try:
            applied = place.spawn("apply", "-auto-approve", **known)
            assert applied.code == 0, applied.err
            shown = place.spawn("status", "guarded").out
            (alloc,) = (line.split()[0] for line in shown.splitlines() if " running " in line)
            checks = place.spawn("alloc", "checks", alloc, **known)
            assert "it has sensitive values, which are recorded as hashes only" in checks.out
        finally:
            place.spawn("stop", "-yes", "guarded", **known)
