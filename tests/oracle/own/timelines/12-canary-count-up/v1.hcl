job "grow" {
  type = "service"
  group "g" {
    count = 3
    update {
      max_parallel     = 1
      health_check     = "task_states"
      min_healthy_time = "1s"
      canary           = 1
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 300"]
      }
      env {
        V = "1"
      }
    }
  }
}
