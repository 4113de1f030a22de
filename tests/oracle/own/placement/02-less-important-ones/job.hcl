job "web" {
  priority = 50

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
