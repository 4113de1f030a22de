job "agent" {
  type = "system"
  group "g" {
    update {
      max_parallel     = 1
      health_check     = "task_states"
      min_healthy_time = "1s"
      auto_revert      = true
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 300"]
      }
    }
  }
}
