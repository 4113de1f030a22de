# The old style: the network belongs to the task, the driver maps its ports.
job "redis" {
  group "cache" {
    task "redis" {
      driver = "docker"

      config {
        image = "redis:3.2"

        port_map {
          db = 6379
        }
      }

      resources {
        cpu    = 50
        memory = 64

        network {
          mbits = 10
          port "db" {}
        }
      }
    }
  }
}
