#!/bin/sh
# The first process of a host, in its new namespaces but still on the machine's root: builds the
# host's own root and moves into it. From the environment: HOST, ROOM (up, wk and m: the private
# disk), DATA (kept outside of it, for dockerd), SHOWN (folders of the machine, to read only),
# CGROUPS (to be mounted), INIT (to end in).
set -eu

mount --make-rprivate /
mount -t overlay "$HOST" -o "lowerdir=/,upperdir=$ROOM/up,workdir=$ROOM/wk" "$ROOM/m"
cd "$ROOM/m"

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
for controllers in $CGROUPS; do
    mkdir "sys/fs/cgroup/${controllers#name=}"
    mount -t cgroup -o "$controllers" cgroup "sys/fs/cgroup/${controllers#name=}"
done

mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/mqueue dev/net
for device in null zero full random urandom tty fuse net/tun kmsg; do
    if [ -e "/dev/$device" ]; then
        : >"dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    fi
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
: >dev/console

mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p run/lock run/sshd
if [ -n "$DATA" ]; then
    mkdir -p var/lib/docker
    mount --bind "$DATA" var/lib/docker
fi

for folder in $SHOWN; do
    mkdir -p ".$folder"
    mount --bind "$folder" ".$folder"
    mount -o remount,bind,ro ".$folder"
done

hostname "$HOST"
pivot_root . mnt
umount -l /mnt
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset ROOM DATA SHOWN CGROUPS
# shellcheck disable=SC2086 # a command and its arguments
exec $INIT
