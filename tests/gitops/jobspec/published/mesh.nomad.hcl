job "mesh" {
  datacenters = ["dc1"]

  group "api" {
    network {
      mode = "bridge"
    }

    service {
      name = "count-api"
      port = "9001"

      connect {
        sidecar_service {
          tags = ["mesh"]
          proxy {
            local_service_port = 9001
            config {
              protocol = "http"
            }
            expose {
              path {
                path            = "/health"
                protocol        = "http"
                local_path_port = 9001
                listener_port   = "health"
              }
            }
          }
        }
        sidecar_task {
          resources {
            cpu    = 50
            memory = 64
          }
          logs {
            max_files = 2
          }
        }
      }
    }

    task "web" {
      driver = "docker"
      config {
        image = "hashicorpdev/counter-api:v3"
      }
    }
  }

  group "dashboard" {
    network {
      mode = "bridge"
      port "http" {
        static = 9002
        to     = 9002
      }
    }

    service {
      name = "count-dashboard"
      port = "9002"

      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "count-api"
              local_bind_port  = 8080
              mesh_gateway {
                mode = "local"
              }
            }
            transparent_proxy {
              exclude_outbound_ports = [8600]
            }
          }
        }
      }
    }

    task "dashboard" {
      driver = "docker"
      env {
        COUNTING_SERVICE_URL = "http://${NOMAD_UPSTREAM_ADDR_count_api}"
      }
      config {
        image = "hashicorpdev/counter-dashboard:v3"
      }
    }
  }

  group "ingress" {
    network {
      mode = "bridge"
      port "inbound" {
        static = 8082
      }
    }

    service {
      name = "ingress"
      port = "8082"

      connect {
        gateway {
          proxy {
            connect_timeout = "500ms"
            envoy_gateway_bind_addresses "internal" {
              address = "0.0.0.0"
              port    = 8082
            }
          }
          ingress {
            tls {
              enabled         = true
              tls_min_version = "TLSv1_2"
            }
            listener {
              port     = 8082
              protocol = "http"
              service {
                name            = "count-dashboard"
                hosts           = ["*"]
                max_connections = 64
                request_headers {
                  add {
                    x-from = "ingress"
                  }
                }
              }
            }
          }
        }
      }
    }

    task "note" {
      driver = "docker"
      config {
        image = "busybox:1.36"
        args  = ["sleep", "infinity"]
      }
    }
  }
}
