job "t" {
group "g" {
      task "t" {
    template {
        data=<<-EOT
          keep ${  me }  and %{ if true }me%{ endif }
       {{ with  secret "x" }}   a=b   # no comment
  }  ] )
          EOT
        destination="local/x"   # kept
      }
      env {
        A = <<EOF
  a=1
EOF
        LONG_NAME=2
      }
    }
  }
}
