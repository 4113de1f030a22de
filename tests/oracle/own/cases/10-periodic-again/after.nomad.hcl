job "web" {
  type = "batch"

  periodic {
    crons = ["@daily"]
  }

  group "app" {
    count = 1

    task "main" {
      driver = "raw_exec"

      config {
        command = "/bin/sleep"
        args    = ["3600"]
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
