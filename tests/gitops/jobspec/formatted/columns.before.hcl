job "web" {
datacenters = ["dc1"] # where
      type = "service"  # what
  priority=50#how soon
  region = "global"

	meta {
    a = 1
    longer_name=2 // two
    dashed-name = 3
  }
  # A chain ends with an empty line, a comment, a block, and a value over several lines.
  group "g" {
    count=1
    constraint {
      attribute="${attr.kernel.name}"
      value = "linux"
    }
    update { max_parallel=2 }
    volume "data" {}
    task "t" {
      driver = "docker"
      env = {
        A=1
        LONG = "x"
      }
      kill_timeout = "5s"
      leader=true
      /* a comment
    over lines */ user = "x"
    }
  }
}
