job "inference" {
  datacenters = ["dc*"]
  node_pool   = "default"

  spread {
    attribute = "${node.datacenter}"
    weight    = 100
    target "dc1" {
      percent = 70
    }
    target "dc2" {
      percent = 30
    }
  }

  group "model" {
    count = 2

    scaling {
      enabled = true
      min     = 1
      max     = 4
      policy {
        cooldown = "2m"
        check "queue" {
          source = "prometheus"
          query  = "sum(queue_depth)"
          strategy "target-value" {
            target = 10
          }
        }
      }
    }

    update {
      max_parallel = 1
      canary       = 1
      auto_promote = true
      auto_revert  = true
    }

    task "server" {
      driver = "docker"

      config {
        image   = "registry.example/inference:2024-10"
        runtime = "nvidia"
        command = "serve"
      }

      resources {
        cpu    = 500
        memory = 4096
        device "nvidia/gpu" {
          count = 1
          constraint {
            attribute = "${device.attr.memory}"
            operator  = ">="
            value     = "16 GiB"
          }
          affinity {
            attribute = "${device.model}"
            value     = "A100"
          }
        }
        numa {
          affinity = "prefer"
          devices  = ["nvidia/gpu"]
        }
      }
    }
  }
}
