variables {
  bucket = "backups"
  hours  = [1, 13]
}

job "backup" {
  datacenters = ["dc1"]
  type        = "batch"

  periodic {
    crons            = [for h in var.hours : format("0 %d * * *", h)]
    prohibit_overlap = true
    time_zone        = "Europe/Berlin"
  }

  group "backup" {
    max_run_duration = "2h"

    reschedule {
      attempts       = 2
      interval       = "1h"
      delay          = "30s"
      delay_function = "constant"
      unlimited      = false
    }

    task "dump" {
      driver = "raw_exec"
      user   = "backup"

      config {
        command = "/usr/local/bin/backup"
        args    = ["--bucket", var.bucket, "--when", "${NOMAD_JOB_ID}"]
      }

      restart {
        attempts = 1
        interval = "10m"
        delay    = "30s"
        mode     = "fail"
      }
    }
  }
}
