job "web" {
  group "app" {
    count = 1

    update {
      canary = 2
    }

    task "main" {
      driver = "raw_exec"

      config {
        command = "/bin/sleep"
        args    = ["3600"]
      }

      env {
        MODE = "b"
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
