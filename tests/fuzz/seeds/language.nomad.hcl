# Variables, locals, dynamic blocks, heredocs and run-time references in one job.
variable "ports" {
  type    = map(number)
  default = { http = 8080, admin = 9090 }
}

variable "replicas" {
  type    = number
  default = 2

  validation {
    condition     = var.replicas > 0
    error_message = "At least one replica is needed."
  }
}

locals {
  label = "${local.base}-app"
  base  = "shop"
}

job "shop" {
  type = "batch"
  meta = { owner = upper(local.base), total = var.replicas + 1 }

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  dynamic "group" {
    for_each = ["red", "blue"]
    labels   = ["${local.label}-${group.value}"]

    content {
      count = var.replicas + group.key

      network {
        dynamic "port" {
          for_each = var.ports
          labels   = [port.key]

          content {
            static = port.value + group.key * 100
          }
        }
      }

      task "main" {
        driver = "raw_exec"

        config {
          command = "sh"
          args    = ["-c", <<-EOT
            echo "$${HOME} ${NOMAD_ALLOC_INDEX}"
              exec sleep ${3600 * 2}
          EOT
          ]

          logging {
            type = "none"
          }
        }

        env {
          ZONES  = join(",", [for z in ["a", "b", "c"] : "zone-${z}" if z != "b"])
          REGION = attr.platform.region
          LIST   = "%{ for p, n in var.ports }${p}=${n};%{ endfor }"
        }

        kill_signal = "SIGTERM"
      }
    }
  }
}
