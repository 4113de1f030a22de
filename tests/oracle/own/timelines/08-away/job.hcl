job "away" {
  type = "service"
  group "g" {
    count = 2
    update {
      max_parallel     = 1
      health_check     = "task_states"
      min_healthy_time = "1s"
    }
    disconnect {
      lost_after = "60s"
      reconcile  = "keep_original"
    }
    reschedule {
      delay          = "5s"
      delay_function = "constant"
      unlimited      = true
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
