job "slow" {
  type = "service"
  group "g" {
    count = 1
    update {
      max_parallel     = 1
      health_check     = "task_states"
      min_healthy_time = "1s"
    }
    shutdown_delay = "2s"
    task "now" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 300"]
      }
    }
    task "later" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 300"]
      }
      shutdown_delay = "3s"
    }
  }
}
