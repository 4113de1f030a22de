"""The redis job of every tutorial, in both styles of naming ports, and how it is varied."""

from __future__ import annotations

REDIS = """\
job "example" {
  datacenters = ["dc1"]
  type        = "service"

  update {
    max_parallel      = 1
    min_healthy_time  = "1s"
    healthy_deadline  = "90s"
    progress_deadline = "10m"
    auto_revert       = false
    canary            = 0
  }

  group "cache" {
    count = 1

    network {
      port "db" {
        to = 6379
      }
    }

    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    ephemeral_disk {
      size = 300
    }

    service {
      name     = "redis-cache"
      tags     = ["global", "cache"]
      port     = "db"
      provider = "nomad"

      check {
        name     = "alive"
        type     = "tcp"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "redis" {
      driver = "docker"

      config {
        image = "redis:3.2"
        ports = ["db"]
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
"""

OLD_REDIS = """\
job "example" {
  datacenters = ["dc1"]
  type = "service"
  update {
    stagger = "10s"
    max_parallel = 1
    min_healthy_time = "1s"
    healthy_deadline = "90s"
  }
  group "cache" {
    count = 1
    restart {
      attempts = 10
      interval = "5m"
      delay = "25s"
      mode = "delay"
    }
    task "redis" {
      driver = "docker"
      config {
        image = "redis:3.2"
        port_map {
          db = 6379
        }
      }
      resources {
        cpu    = 500
        memory = 256
        network {
          mbits = 10
          port "db" {}
        }
      }
      service {
        name = "global-redis-check"
        tags = ["global", "cache"]
        port = "db"
        check {
          name     = "alive"
          type     = "tcp"
          interval = "10s"
          timeout  = "2s"
        }
      }
    }
  }
}
"""


# What may be placed again fails nothing before the deadline for progress.
NEVER = "reschedule {\n attempts = 0\n unlimited = false\n }\n"


def redis(*changes: tuple[str, str]) -> str:
    """The job with parts of its text replaced; each must be there."""
    text = REDIS
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def alone(
    image: str, config: str = "", *, job: str = "alone", group: str = "", deadline: str = "90s"
) -> str:
    """A service of one container without ports; `deadline` is for its health."""
    return f"""\
job "{job}" {{
  update {{
    min_healthy_time = "1s"
    healthy_deadline = "{deadline}"
  }}
  group "g" {{
    {group}
    task "main" {{
      driver = "docker"
      config {{
        image = "{image}"
        {config}
      }}
      resources {{
        cpu    = 50
        memory = 64
      }}
    }}
  }}
}}
"""


def batch(image: str, *, job: str = "alone") -> str:
    """A batch job of one container."""
    head, _, rest = alone(image, job=job).partition("  update {")
    _, _, rest = rest.partition("}\n")
    return f'{head}  type = "batch"\n{rest}'


PAIR = """\
job "pair" {
  update {
    min_healthy_time = "1s"
    healthy_deadline = "90s"
  }
  group "g" {
    network {
      mode     = "bridge"
      hostname = "pair"
      port "db" {
        to = 6379
      }
    }
    task "redis" {
      driver = "docker"
      config {
        image = "redis:3.2"
      }
      resources {
        cpu    = 50
        memory = 64
      }
    }
    task "beside" {
      driver       = "docker"
      kill_timeout = "500ms"
      config {
        image   = "redis:3.2"
        command = "/bin/sh"
        args    = ["-c", "hostname; while :; do redis-cli ping; sleep 1; done"]
      }
      resources {
        cpu    = 50
        memory = 64
      }
    }
  }
}
"""
