job "low" {
  priority = 20

  group "app" {
    task "main" {
      driver = "raw_exec"

      config {
        command = "/bin/sleep"
      }

      resources {
        cpu    = 900
        memory = 512
      }
    }
  }
}
