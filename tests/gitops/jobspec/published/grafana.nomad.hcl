variable "admin_password" {
  type    = string
  default = "change-me"
}

locals {
  version = "11.2.0"
}

job "grafana" {
  datacenters = ["dc1"]

  group "grafana" {
    count = 1

    network {
      port "http" {
        to = 3000
      }
    }

    ephemeral_disk {
      size    = 500
      sticky  = true
      migrate = true
    }

    volume "data" {
      type   = "host"
      source = "grafana"
    }

    service {
      name = "grafana"
      port = "http"
      check {
        type     = "http"
        path     = "/api/health"
        interval = "10s"
        timeout  = "2s"
        check_restart {
          limit = 3
          grace = "90s"
        }
      }
    }

    task "grafana" {
      driver = "docker"

      config {
        image = "grafana/grafana:${local.version}"
        ports = ["http"]
      }

      volume_mount {
        volume      = "data"
        destination = "/var/lib/grafana"
      }

      env {
        GF_PATHS_PROVISIONING      = "/local/provisioning"
        GF_SECURITY_ADMIN_PASSWORD = var.admin_password
        GF_SERVER_HTTP_PORT        = "${NOMAD_PORT_http}"
      }

      artifact {
        source      = "https://dashboards.example/node-exporter.json"
        destination = "local/dashboards/"
        options {
          checksum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        }
      }

      template {
        destination   = "local/provisioning/datasources/prometheus.yml"
        change_mode   = "signal"
        change_signal = "sighup"
        data          = <<EOT
apiVersion: 1
datasources:
  - name: Prometheus
    url: http://{{ range nomadService "prometheus" }}{{ .Address }}:{{ .Port }}{{ end }}
EOT
      }

      resources {
        cpu        = 200
        memory     = 256
        memory_max = 512
      }
    }
  }
}
