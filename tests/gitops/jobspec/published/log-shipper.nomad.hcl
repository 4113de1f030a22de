job "log-shipper" {
  type     = "system"
  priority = 90

  update {
    max_parallel     = 2
    stagger          = "10s"
    min_healthy_time = "15s"
    auto_revert      = true
  }

  constraint {
    operator = "distinct_hosts"
    value    = "true"
  }

  group "ship" {
    disconnect {
      lost_after = "6h"
      replace    = false
    }

    task "vector" {
      driver = "docker"

      config {
        image           = "timberio/vector:0.40.0-alpine"
        args            = ["-c", "/local/vector.yaml"]
        pid_mode        = "host"
        readonly_rootfs = true
        mount {
          type     = "bind"
          source   = "/var/log"
          target   = "/var/log"
          readonly = true
        }
        logging {
          type = "journald"
          config {
            tag = "vector"
          }
        }
      }

      logs {
        max_files     = 3
        max_file_size = 5
      }

      identity {
        name = "vault_default"
        aud  = ["vault.example"]
        ttl  = "1h"
        file = true
      }

      template {
        destination = "local/vector.yaml"
        perms       = "0640"
        wait {
          min = "2s"
          max = "10s"
        }
        change_mode = "script"
        change_script {
          command = "/bin/kill"
          args    = ["-HUP", "1"]
          timeout = "10s"
        }
        data = <<EOH
sources:
  logs:
    type: file
    include: ["/var/log/**/*.log"]
    labels: { host: "{{ env "node.unique.name" }}" }
EOH
      }

      resources {
        cpu    = 50
        memory = 64
      }
    }
  }
}
