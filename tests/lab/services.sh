#!/bin/sh
# What runs on a host without systemd: services that come back when they die, unless
# /run/NAME.down says that they shall not.
keep() {
    name=$1
    shift
    while :; do
        if [ -e "/run/$name.down" ]; then
            sleep 0.2
            continue
        fi
        "$@" >>"/var/log/$name.log" 2>&1 </dev/null
        sleep 0.3
    done
}

keep sshd /usr/sbin/sshd -D -e &
if [ -e /etc/docker/daemon.json ]; then
    keep dockerd /usr/sbin/dockerd &
fi
wait
