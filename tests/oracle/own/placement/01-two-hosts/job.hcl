job "web" {
  group "app" {
    count = 2

    task "main" {
      driver = "raw_exec"

      config {
        command = "/bin/sleep"
      }

      resources {
        cpu    = 500
        memory = 512
      }
    }
  }

  group "big" {
    task "main" {
      driver = "raw_exec"

      config {
        command = "/bin/sleep"
      }

      resources {
        cpu    = 9000
        memory = 512
      }
    }
  }
}
