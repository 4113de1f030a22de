locals {
  names = ["b", "a"]
}
job "e" {
  group "g" {
    task "t" {
      driver = "raw_exec"

      env {
        V = @EXPR@
      }
    }
  }
}
