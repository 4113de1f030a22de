# Print what a host is, has and runs: DATA CLUSTER. Reads only.
set_data "$1"
cluster=$2

fact() {
    [ -z "$2" ] || printf 'fact\t%s\t%s\n' "$1" "$2"
}

line_of() {
    _text=
    read -r _text 2>/dev/null <"$1"
    printf '%s' "$_text"
}

facts() {
    fact kernel.name "$(uname -s | tr '[:upper:]' '[:lower:]')"
    fact kernel.version "$(uname -r)"
    fact kernel.arch "$(uname -m)"
    fact unique.hostname "$(uname -n)"
    fact machine-id "$(line_of /etc/machine-id)"
    fact boot-id "$(line_of /proc/sys/kernel/random/boot_id)"
    fact uid "$(id -u)"
    fact data-dir "$data"
    awk -F= '
        $1 == "ID" || $1 == "VERSION_ID" {
            gsub(/["\047]/, "", $2)
            print "fact\t" ($1 == "ID" ? "os.name" : "os.version") "\t" $2
        }' /etc/os-release 2>/dev/null
    fact debian "$(line_of /etc/debian_version)"
    awk '$1 == "MemTotal:" { print "fact\tmemory.kb\t" $2 }' /proc/meminfo
    awk -F: '
        /^processor/ { n++ }
        /^cpu MHz/ && $2 + 0 > mhz { mhz = $2 + 0 }
        END { print "fact\tcpu.numcores\t" n + 0; print "fact\tcpu.mhz\t" mhz + 0 }' /proc/cpuinfo
    fact cpu.khz "$(line_of /sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq)"
    fact cpu.modelname "$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)"
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        fact os.cgroups.version 2
    elif [ -d /sys/fs/cgroup ]; then
        fact os.cgroups.version 1
    fi
    # No packet is sent: the kernel only says from which address one would go.
    fact address "$(ip -4 route get 192.0.2.1 2>/dev/null |
        awk '{ for (i = 1; i < NF; i++) if ($i == "src") { print $(i + 1); exit } }')"
    _dir=$data
    while [ -n "$_dir" ] && ! [ -d "$_dir" ]; do _dir=${_dir%/*}; done
    df -Pk "${_dir:-/}" 2>/dev/null | awk '
        NR == 2 { print "fact\tdisk.total-kb\t" $2; print "fact\tdisk.free-kb\t" $4
                  print "fact\tunique.storage.volume\t" $1 }'
}

docker_facts() {
    _info=$(engine 10 info --format \
        '{{.ServerVersion}} {{.OSType}} {{range $name, $_ := .Runtimes}}{{$name}},{{end}}' 2>/dev/null)
    [ -n "${_info%% *}" ] || return 0
    fact docker.version "${_info%% *}"
    _info=${_info#* }
    fact docker.os_type "${_info%% *}"
    fact docker.runtimes "${_info#* }"
    fact docker.bridge_ip "$(ip -4 addr show docker0 2>/dev/null |
        awk '$1 == "inet" { sub("/.*", "", $2); print $2; exit }')"
}

tools() {
    for _tool in flock setsid timeout ss docker podman curl setpriv java qemu-system-x86_64; do
        has "$_tool" && printf 'tool\t%s\n' "$_tool"
    done
    [ -d /run/systemd/system ] && has systemctl && printf 'tool\tsystemd\n'
}

fences() {
    for _fence in "$data/clusters/$cluster/fences"/*; do
        case ${_fence##*/} in *.tmp.*) continue ;; esac
        [ -f "$_fence" ] && printf 'fence\t%s\t%s\n' "${_fence##*/}" "$(line_of "$_fence")"
    done
}

floor() {
    _floor=$data/clusters/$cluster/floor
    [ ! -f "$_floor" ] || printf 'floor\t%s\n' "$(line_of "$_floor")"
}

printf 'orch-probe\t%s\n' "$format"
facts
tools
listening | sort -u | sed "s/^/port$tab/"
[ ! -e "$data/format" ] || printf 'format\t%s\n' "$(line_of "$data/format")"
[ ! -e "$data/node/id" ] || printf 'node\t%s\n' "$(line_of "$data/node/id")"
[ ! -e "$data" ] || [ -x "$data" ] || printf 'unreadable\t%s\n' "$data"
fences
floor
for _record in "$data/records"/*/; do list_alloc "${_record%/}"; done | print_allocs 1
if has docker; then
    docker_facts
    _seen=$(print_containers)
    [ -z "$_seen" ] || printf '%s\n' "$_seen"
    records=$data/records
    case $_seen in *"${tab}id$tab"*) print_strangers "$_seen" ;; esac
fi
printf 'end\torch-probe\n'
