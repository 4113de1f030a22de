job "postgres" {
  datacenters = ["dc1"]

  group "db" {
    volume "data" {
      type            = "csi"
      source          = "pg-data"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
      per_alloc       = true
      mount_options {
        fs_type     = "ext4"
        mount_flags = ["noatime"]
      }
    }

    network {
      mode = "bridge"
      port "pg" {
        to = 5432
      }
      dns {
        servers = ["10.0.0.2"]
      }
    }

    restart {
      attempts = 3
      interval = "5m"
      delay    = "25s"
      mode     = "delay"
    }

    task "permissions" {
      driver = "docker"
      lifecycle {
        hook    = "prestart"
        sidecar = false
      }
      config {
        image   = "busybox:1.36"
        command = "chown"
        args    = ["-R", "999", "/data"]
      }
      volume_mount {
        volume      = "data"
        destination = "/data"
      }
    }

    task "postgres" {
      driver       = "docker"
      kill_timeout = "60s"
      kill_signal  = "SIGINT"

      config {
        image    = "postgres:16"
        ports    = ["pg"]
        shm_size = 268435456
        ulimit {
          nofile = "65536:65536"
        }
      }

      volume_mount {
        volume           = "data"
        destination      = "/var/lib/postgresql/data"
        propagation_mode = "private"
      }

      secret "admin" {
        provider = "nomad"
        path     = "nomad/jobs/postgres"
      }

      action "vacuum" {
        command = "/usr/bin/vacuumdb"
        args    = ["--all"]
      }

      resources {
        cores  = 2
        memory = 2048
      }
    }
  }
}
