job "csi-node" {
  type = "system"

  group "nodes" {
    task "plugin" {
      driver = "docker"
      config {
        image      = "registry.example/csi-driver:2.4"
        args       = ["node", "--endpoint=unix:///csi/csi.sock"]
        privileged = true
      }
      csi_plugin {
        id             = "disks"
        type           = "node"
        mount_dir      = "/csi"
        health_timeout = "1m"
      }
    }
  }
}
