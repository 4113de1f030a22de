job "payments" {
  datacenters = ["dc1"]
  namespace   = "default"

  vault {
    role          = "payments"
    change_mode   = "signal"
    change_signal = "SIGUSR1"
  }

  ui {
    description = "Takes the money."
    link {
      label = "Runbook"
      url   = "https://wiki.example/payments"
    }
  }

  group "api" {
    count          = 3
    shutdown_delay = "5s"

    consul {
      namespace = "payments"
    }

    dynamic "network" {
      for_each = ["http"]
      content {
        dynamic "port" {
          for_each = [network.value, "metrics"]
          labels   = [port.value]
          content {}
        }
      }
    }

    service {
      name        = "payments-${NOMAD_GROUP_NAME}"
      port        = "http"
      tags        = ["v1"]
      canary_tags = ["canary"]
      meta {
        owner = "billing"
      }
      weights {
        passing = 10
        warning = 1
      }
      identity {
        aud = ["consul.example"]
        ttl = "1h"
      }
      check {
        type                   = "grpc"
        grpc_service           = "health"
        interval               = "15s"
        timeout                = "3s"
        success_before_passing = 2
      }
    }

    task "api" {
      driver = "docker"
      leader = true

      config {
        image = "registry.example/payments:5.1"
        ports = ["http", "metrics"]
        auth {
          username = "robot"
          password = "see-vault"
        }
      }

      template {
        env         = true
        destination = "secrets/db.env"
        data        = <<EOT
{{ with secret "database/creds/payments" }}
DB_USER={{ .Data.username }}
DB_PASSWORD={{ .Data.password }}
{{ end }}
EOT
      }

      resources {
        cpu     = 300
        memory  = 256
        secrets = 4
      }
    }

    task "proxy" {
      driver = "docker"
      lifecycle {
        hook    = "poststart"
        sidecar = true
      }
      config {
        image = "envoyproxy/envoy:v1.31"
      }
    }
  }
}
