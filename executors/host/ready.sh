# Print what a host has of that which orch needs, and what its user may do there: DATA. Reads only.
set_data "$1"

fact() {
    [ -z "$2" ] || printf 'fact\t%s\t%s\n' "$1" "$2"
}

# Owner, group and mode of a path, and what this user may do with it.
rights() {
    fact "$1.owner" "$(stat -c '%U:%G %a' "$2" 2>/dev/null)"
    _may=
    [ ! -r "$2" ] || _may=r
    [ ! -w "$2" ] || _may=${_may}w
    [ ! -x "$2" ] || _may=${_may}x
    fact "$1.may" "${_may:--}"
}

missing_tools() {
    for _tool in awk cat chmod cut date dd df find grep head id mkdir mv rm sed sleep sort stat \
        sync tail tr uname wc timeout flock setsid; do
        has "$_tool" || printf 'lack\t%s\n' "$_tool"
    done
}

data_facts() {
    fact data "$data"
    if [ -d "$data" ]; then
        fact data.kind folder
        rights data "$data"
    elif [ -e "$data" ] || [ -L "$data" ]; then
        fact data.kind other
    fi
    _dir=$data
    while [ -n "$_dir" ] && ! [ -d "$_dir" ]; do _dir=${_dir%/*}; done
    fact data.above "${_dir:-/}"
    rights data.above "${_dir:-/}"
    fact data.free-kb "$(df -Pk "${_dir:-/}" 2>/dev/null | awk 'NR == 2 { print $4 }')"
    fact data.free-inodes "$(df -Pi "${_dir:-/}" 2>/dev/null |
        awk 'NR == 2 && $2 > 0 { print $4 }')"
    for _cluster in "$data/clusters"/*/; do
        _cluster=${_cluster%/}
        [ ! -d "$_cluster" ] || printf 'cluster\t%s\n' "${_cluster##*/}"
    done
}

docker_facts() {
    if [ -S /var/run/docker.sock ]; then
        fact docker.socket /var/run/docker.sock
        rights docker.socket /var/run/docker.sock
    fi
    has docker || return 0
    fact docker.program "$(command -v docker)"
    fact docker.error "$(engine 10 version 2>&1 >/dev/null | tail -n 1)"
}

login_facts() {
    fact user "$(id -un 2>/dev/null || id -u)"
    fact uid "$(id -u)"
    fact groups "$(id -Gn 2>/dev/null)"
    [ ! -d /run/systemd/system ] || ! has systemctl || fact systemd 1
    [ "$(id -u)" != 0 ] || return 0
    [ ! -e "/var/lib/systemd/linger/$(id -un)" ] || fact linger 1
    fact ends-processes "$(cat /etc/systemd/logind.conf /etc/systemd/logind.conf.d/*.conf \
        2>/dev/null | sed -n 's/^KillUserProcesses=\(yes\|true\|1\)$/1/p' | tail -n 1)"
}

printf 'orch-probe\t%s\n' "$format"
login_facts
missing_tools
data_facts
docker_facts
printf 'end\torch-probe\n'
