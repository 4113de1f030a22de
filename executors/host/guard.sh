# What every guarded step does first. Arguments of each script: DATA CLUSTER NODE[:BOOT], then its
# own. With BOOT, the boot id, the host must not have started anew since it was looked at: it may
# have come back with an older disk, and older fences on it.
#
# DATA (0711)             /var/lib/orch for root, else ~/.local/share/orch, or orch_data_dir
#   format                number of this layout
#   lock                  flock of a guarded step; never held over a stop or a round trip
#   node/id               the node's random id
#   clusters/CLUSTER/fences/JOB-KEY   "EPOCH INDEX COMMIT"; the key percent-encoded
#   clusters/CLUSTER/floor   "EPOCH INDEX": the highest of the fences that were dropped
#   records/ALLOC (0700)  record: key=value lines; stop: the tombstone; released: all is dead and
#                         the reservation free; failed: the task that failed; supervise.sh
#     network             container and state of what holds the network of the tasks' containers
#     tasks/TASK          policy, run (the command and its variables), user, state, events,
#                         sup, runner and pid ("PID START BOOT" of supervisor, of who starts the
#                         task and notes its end, and of the task), exit, lock, stop;
#                         of a container only policy, container, state, events, stop
#   alloc/ALLOC           alloc/{data,logs,tmp} and, per task, {local,secrets,tmp}, as Nomad has it
umask 077
set_data "$1"
cluster=$2
node=${3%%:*}
boot=${3#"$node"}
records=$data/records
fences=$data/clusters/$cluster/fences
floor=$data/clusters/$cluster/floor

lock_host() {
    has flock || fail missing-tool flock
    has setsid || fail missing-tool setsid
    mkdir -p "$data" 2>/dev/null || write_failed "$data"
    { true >>"$data/lock"; } 2>/dev/null || write_failed "$data/lock"
    exec 9>>"$data/lock"
    flock -w 10 9 || fail busy "$data/lock"
    _found=
    if [ -e "$data/format" ]; then
        read -r _found <"$data/format"
        [ "$_found" = "$format" ] || fail format "${_found:-empty}"
    else
        mkdir -p "$records" "$data/alloc" "$data/node" "$data/clusters" &&
            chmod 0711 "$data" "$data/alloc" && echo "$format" | replace "$data/format" ||
            write_failed "$data"
    fi
}

write_failed() {
    [ -z "$staged" ] || rm -rf "$staged"
    _dir=$data
    while [ -n "$_dir" ] && ! [ -d "$_dir" ]; do _dir=${_dir%/*}; done
    # shellcheck disable=SC2046 # split on purpose
    set -- "$1" $(df -Pk "${_dir:-/}" 2>/dev/null | tail -n 1)
    fail write "$1$tab${5:-0}"
}

check_node() {
    _found=
    read -r _found 2>/dev/null <"$data/node/id"
    [ -n "$_found" ] || fail not-enrolled "$data"
    [ "$_found" = "$node" ] || fail other-node "$_found"
    read -r _found 2>/dev/null </proc/sys/kernel/random/boot_id
    [ -z "$boot" ] || [ ":$_found" = "$boot" ] || fail restarted
}

# The fence of a job, into $epoch, $index and $commit: the floor where none stands.
load_fence() {
    if ! [ -e "$fences/$1" ]; then
        load_floor
        return
    fi
    epoch=0 index=0 commit=''
    read -r epoch index commit <"$fences/$1"
    case $epoch:$index in *[!0-9:]* | :* | *:) fail damaged "$fences/$1" ;; esac
}

# What all fences of forgotten jobs were, into $epoch and $index: 0 where none was forgotten.
load_floor() {
    epoch=0 index=0 commit=''
    [ -e "$floor" ] || return 0
    read -r epoch index <"$floor"
    case $epoch:$index in *[!0-9:]* | :* | *:) fail damaged "$floor" ;; esac
}

# check_fence KEY EPOCH INDEX COMMIT: nobody has raised it since.
check_fence() {
    load_fence "$1"
    [ "$epoch $index $commit" = "$2 $3 $4" ] || fail fenced "$epoch$tab$index$tab$commit"
}

# A field of a record; empty is refused by whoever needs it.
field() {
    sed -n "s/^$1=//p" "$2" 2>/dev/null | head -n 1
}

live_records() {
    for _dir in "$records"/*/; do
        [ -d "$_dir" ] && ! [ -e "${_dir}released" ] || continue
        printf '%srecord\n' "$_dir"
    done
}

# Take stdin apart: "COUNT BYTES" of a header of "BYTES PATH" lines, then the files' contents, one
# behind the other, so that each is one read from where the last one has ended.
unpack() {
    cat >"$1/bundle" || write_failed "$1"
    exec 8<"$1/bundle"
    read -r _count _offset <&8
    [ "${_count:-0}" -gt 0 ] || fail damaged "what was sent"
    while [ "$_count" -gt 0 ] && read -r _size _path <&8; do
        printf '%s %s\n' "$_size" "$_path"
        _count=$((_count - 1))
    done >"$1/list" || write_failed "$1"
    while read -r _size _path; do
        [ -d "$1/${_path%/*}" ] || mkdir -p "$1/${_path%/*}" 2>/dev/null || write_failed "$1"
        if [ "$_size" -gt 0 ]; then
            dd bs="$_size" count=1 <&8 >"$1/$_path" 2>/dev/null || write_failed "$1/$_path"
        else
            true >"$1/$_path" || write_failed "$1/$_path"
        fi
        _offset=$((_offset + _size))
    done <"$1/list"
    exec 8<&-
    [ "$(wc -c <"$1/bundle")" -eq "$_offset" ] || fail damaged "what was sent"
    rm -f "$1/bundle" "$1/list"
}

# Whether systemd is to supervise: it runs here, the host is not a passing one (a development
# host's session sets ORCH_NO_SYSTEMD), and the names need no escaping in a unit file.
use_systemd() {
    [ -z "$ORCH_NO_SYSTEMD" ] || return 1
    case $data in /tmp/*) return 1 ;; esac
    [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ] && has systemctl || return 1
    case $1 in *[!A-Za-z0-9/._-]*) return 1 ;; esac
}

set_unit() {
    _owner=${1%/tasks/*}
    unit=orch-${_owner##*/}-${1##*/}.service
}

# launch TASKDIR: its supervisor, unless one lives. Two would meet at the task's own lock.
launch() {
    if [ -f "$1/container" ] && ! supervised "$1"; then
        start_container "$1"
        return
    fi
    _owner=${1%/tasks/*}
    alive "$1/sup" && return 0
    if use_systemd "$1" && launch_unit "$1"; then return 0; fi
    # Twice setsid: the second finds itself a leader and forks, so that nobody waits for it.
    env -i PATH="$PATH" HOME="${HOME:-/}" ${LANG:+LANG="$LANG"} \
        setsid setsid sh "$_owner/supervise.sh" "$_owner" "${1##*/}" \
        </dev/null >/dev/null 2>&1 9>&-
}

launch_unit() {
    set_unit "$1"
    cat >"/etc/systemd/system/$unit" <<UNIT || return 1
[Unit]
Description=orch task ${1##*/} of allocation ${_owner##*/}
After=network-online.target

[Service]
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=${HOME:-/root}
ExecStart=/bin/sh $_owner/supervise.sh $_owner ${1##*/}
KillMode=control-group
Restart=on-failure
IgnoreSIGPIPE=no
StandardOutput=null
StandardError=null

[Install]
WantedBy=multi-user.target default.target
UNIT
    systemctl daemon-reload >/dev/null 2>&1 9>&- &&
        systemctl enable "$unit" >/dev/null 2>&1 9>&- &&
        systemctl start --no-block "$unit" >/dev/null 2>&1 9>&- && return 0
    drop_unit "$1"
    return 1
}

drop_unit() {
    set_unit "$1"
    [ -e "/etc/systemd/system/$unit" ] || return 0
    systemctl disable "$unit" >/dev/null 2>&1 9>&-
    rm -f "/etc/systemd/system/$unit"
    systemctl daemon-reload >/dev/null 2>&1 9>&-
}

# launch_all RECORD [started]: what should run, but for what the second word says runs for sure.
launch_all() {
    _sure=$2
    start_network "$1" "$2"
    for _each in "$1"/tasks/*/; do
        _each=${_each%/}
        [ -f "$_each/policy" ] || continue
        load_state "$_each"
        case $state in
        dead) ;;
        running) [ "$_sure" = started ] || launch "$_each" ;;
        *) launch "$_each" ;;
        esac
    done
    # What docker refused to start is over at once.
    ! has_containers "$1" || release_if_dead "$1" || :
}
