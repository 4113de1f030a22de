job "traefik" {
  datacenters = ["dc1"]
  type        = "system"

  group "edge" {
    network {
      mode = "host"
      port "web" {
        static = 80
      }
      port "admin" {
        static = 8081
      }
    }

    service {
      name     = "edge"
      provider = "nomad"
      port     = "web"
      tags     = ["traefik.enable=true", "traefik.http.routers.api.rule=Host(`edge.example`)"]

      check {
        name     = "alive"
        type     = "tcp"
        port     = "web"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "traefik" {
      driver = "docker"

      config {
        image        = "traefik:v3.1"
        network_mode = "host"
        ports        = ["web", "admin"]
        volumes      = ["local/traefik.toml:/etc/traefik/traefik.toml"]
      }

      template {
        destination = "local/traefik.toml"
        data        = <<-EOF
          [entryPoints.web]
          address = ":{{ env "NOMAD_PORT_web" }}"

          [providers.nomad]
          exposedByDefault = false
        EOF
      }

      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}
