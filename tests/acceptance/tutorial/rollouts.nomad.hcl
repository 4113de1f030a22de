job "example" {
  datacenters = ["dc1"]
  type        = "service"

  update {
    max_parallel      = 1
    min_healthy_time  = "1s"
    healthy_deadline  = "30s"
    progress_deadline = "1m"
    auto_revert       = false
    canary            = 0
  }

  group "cache" {
    count = 3

    network {
      port "db" {
        to = 6379
      }
    }

    restart {
      attempts = 0
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    reschedule {
      attempts  = 0
      unlimited = false
    }

    service {
      name     = "redis-cache"
      port     = "db"
      provider = "nomad"

      check {
        name     = "alive"
        type     = "tcp"
        interval = "1s"
        timeout  = "1s"
      }
    }

    task "redis" {
      driver = "docker"

      config {
        image   = "redis:3.2"
        command = "redis-server"
        ports   = ["db"]
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
