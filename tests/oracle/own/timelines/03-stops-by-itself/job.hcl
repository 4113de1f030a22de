job "alone" {
  type = "service"
  group "g" {
    count = 1
    disconnect {
      stop_on_client_after = "5s"
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
