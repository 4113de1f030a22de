job "transcode" {
  type = "batch"

  parameterized {
    payload       = "required"
    meta_required = ["preset"]
    meta_optional = ["notify"]
  }

  meta {
    notify = "nobody"
  }

  group "encode" {
    task "ffmpeg" {
      driver = "exec"

      dispatch_payload {
        file = "input.json"
      }

      artifact {
        source      = "git::https://git.example/presets.git"
        destination = "local/presets"
        mode        = "dir"
      }

      config {
        command = "/usr/bin/ffmpeg"
        args    = ["-preset", "${NOMAD_META_preset}", "local/input.json"]
      }

      constraint {
        attribute = "${attr.kernel.arch}"
        value     = "x86_64"
      }

      affinity {
        attribute = "${node.class}"
        value     = "fast"
        weight    = 80
      }

      resources {
        cpu    = 1000
        memory = 1024
      }
    }
  }
}
