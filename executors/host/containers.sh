# Tasks that are containers: dockerd supervises them, and these lines only start, stop and look.
#
# tasks/TASK/container holds `key=value` lines: the container's id and name, and what it was made
# with. Its id is what is acted on; a name only finds it.

# A field of a task's container file.
bound() {
    [ -f "$2/container" ] || return 0
    while IFS= read -r _line; do
        case $_line in
        "$1="*)
            printf '%s\n' "${_line#*=}"
            return
            ;;
        esac
    done <"$2/container"
}

# The id and, if it was pulled for the task, the image, into $bound_id and $bound_pulled.
load_bound() {
    bound_id='' bound_pulled=''
    while IFS== read -r _key _value; do
        case $_key in
        id) bound_id=$_value ;;
        pulled) bound_pulled=$_value ;;
        esac
    done <"$1/container"
}

# The docker CLI, never for longer than $1 seconds: a hanging dockerd must not keep the lock.
engine() {
    _seconds=$1
    shift
    if has timeout; then timeout "$_seconds" docker "$@" 9>&-; else docker "$@" 9>&-; fi
}

engine_answers() {
    [ -n "$(engine 10 version --format '{{.Server.Version}}' 2>/dev/null)" ]
}

# Whether an allocation has tasks that are containers.
has_containers() {
    for _each in "$1"/tasks/*/container; do
        [ -f "$_each" ] && return 0
    done
    return 1
}

# Whether a task's container has a supervisor here, as those have that wait for one another: dockerd
# restarts none of them.
supervised() {
    [ "$(bound supervised "$1")" = 1 ]
}

# start_container TASKDIR: run it, unless it runs. What docker refuses fails the task.
start_container() {
    _id=$(bound id "$1")
    load_state "$1"
    if [ "$state" = running ]; then
        _was=$(engine 10 inspect --type container --format '{{.State.Status}}' "$_id" 2>/dev/null)
        [ "$_was" != running ] && [ "$_was" != restarting ] || return 0
        event "$1" "Restarting" "Task restarting in 0s" "restart_reason=It had ended" "start_delay=0"
        restarts=$((restarts + 1))
    fi
    if _said=$(engine 60 start "$_id" 2>&1 >/dev/null); then
        note_start "$1"
        return 0
    fi
    engine_answers || fail docker "$(printf '%s' "$_said" | tr '\t\n' '  ' | head -c 300)"
    _said=$(printf '%s' "$_said" | tr '\t\n' '  ' | head -c 600)
    event "$1" "Driver Failure" "$_said" "driver_error=$_said"
    set_now
    state=dead failed=1 finished=$now
    save_state "$1"
}

note_start() {
    set_now
    [ "$state" != running ] || last_restart=$now
    state=running started=$now
    save_state "$1"
    event_now "$1" Started "Task started by client"
}

# start_together ALLOC...: the containers of new allocations, a few at the same time. One that
# docker refuses is left as it was: whoever starts it alone is told why.
start_together() {
    for _part in network tasks; do
        _ids=$*
        set --
        for _id in $_ids; do
            for _each in "$records/$_id/network" "$records/$_id"/tasks/*; do
                case $_part:$_each in
                network:*/network | tasks:*/tasks/*)
                    [ ! -f "$_each/container" ] || supervised "$_each" || set -- "$@" "$_each"
                    ;;
                esac
            done
        done
        [ $# -lt 2 ] || start_in_shares "$@"
        # shellcheck disable=SC2086 # split on purpose
        set -- $_ids
    done
}

start_in_shares() {
    _shares=$(grep -c '^processor' /proc/cpuinfo 2>/dev/null)
    [ "${_shares:-0}" -gt 0 ] || _shares=1
    [ "$_shares" -le 4 ] || _shares=4
    _share=0
    while [ "$_share" -lt "$_shares" ]; do
        start_share "$@" &
        _share=$((_share + 1))
    done
    wait
}

start_share() {
    _number=0 _mine=
    for _each in "$@"; do
        shift
        if [ $((_number % _shares)) -eq "$_share" ]; then
            load_bound "$_each"
            _mine="$_mine $bound_id"
            set -- "$@" "$_each"
        fi
        _number=$((_number + 1))
    done
    # shellcheck disable=SC2086 # split on purpose
    [ $# = 0 ] || engine 60 start $_mine 2>/dev/null | while read -r _started; do
        for _each in "$@"; do
            load_bound "$_each"
            [ "$bound_id" = "$_started" ] || continue
            load_state "$_each"
            note_start "$_each"
            break
        done
    done
}

# stop_container TASKDIR: its signal and its time to end, as it was made with; then it stays down.
stop_container() {
    _id=$(bound id "$1")
    true >"$1/stop"
    # Not even a restart of dockerd brings it back.
    supervised "$1" || engine 20 update --restart=no "$_id" >/dev/null 2>&1
    _runs=$(engine 10 inspect --type container --format '{{.State.Running}}' "$_id" 2>/dev/null)
    if [ "$_runs" = true ]; then
        tell_killing "$1"
        _patience=$(((kill_timeout + 999) / 1000))
        engine $((_patience + 30)) stop --time "$_patience" "$_id" >/dev/null 2>&1
    fi
    if supervised "$1" && is_told "$1"; then return 0; fi
    _end=$(engine 10 inspect --type container --format \
        '{{.State.Running}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$_id" 2>/dev/null)
    case $_end in
    true*) return 1 ;;
    false*)
        set -f
        # shellcheck disable=SC2086 # split on purpose
        set -- "$1" $_end
        set +f
        [ "$state" != running ] || tell_container_end "$1" "$3" "$4"
        ;;
    *) engine_answers || return 1 ;;
    esac
    event "$1" Killed "Task successfully killed"
    set_now
    state=dead failed=0 finished=$now
    save_state "$1"
}

# is_told TASKDIR: whether its supervisor, if it has one, tells its end within 10 seconds.
is_told() {
    for _try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        load_state "$1"
        [ "$state" != dead ] || return 0
        alive "$1/sup" || break
        nap 500
    done
    load_state "$1"
    [ "$state" = dead ]
}

tell_container_end() {
    exit_code=$2 signal=0
    if [ "$3" = true ]; then
        _text="OOM Killed"
    elif [ "$2" != 0 ]; then
        _text="Docker container exited with non-zero exit code: $2"
    else
        event "$1" Terminated "Exit Code: 0" "exit_code=0" "signal=0" "oom_killed=false"
        return
    fi
    event "$1" Terminated "Exit Code: $2, Exit Message: \"$_text\"" "exit_message=$_text" \
        "exit_code=$2" "signal=0" "oom_killed=$3"
}

# Batch tasks end by themselves, with nobody there to tell: note it, and give back what they had.
settle_containers() {
    for _found in $(grep -lx batch=1 "$records"/*/tasks/*/container 2>/dev/null); do
        _found=${_found%/tasks/*}
        [ -e "$_found/released" ] || settle_record "$_found"
    done
}

settle_record() {
    for _each in "$1"/tasks/*/container; do
        [ -f "$_each" ] || continue
        _each=${_each%/container}
        load_state "$_each"
        [ "$state" != dead ] || continue
        # shellcheck disable=SC2046 # split on purpose
        set -- "$1" $(engine 10 inspect --type container --format "$_ended" \
            "$(bound id "$_each")" 2>/dev/null)
        [ "$2" = exited ] || return 0
        case $6 in
        no) ;;
        on-failure) [ "$3" = 0 ] || { [ "$7" -gt 0 ] && [ "$5" -ge "$7" ]; } || return 0 ;;
        *) return 0 ;;
        esac
        tell_container_end "$_each" "$3" "$4"
        set_now
        state=dead finished=$now failed=0
        [ "$3" = 0 ] || failed=1
        save_state "$_each"
    done
    if release_if_dead "$1"; then stop_network "$1"; fi
}

_ended='{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.RestartCount}}'
_ended="$_ended"' {{or .HostConfig.RestartPolicy.Name "no"}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}'

# The container that holds the network of an allocation's containers: up before them, down after.
# start_network RECORD [started]: as launch_all.
start_network() {
    [ -f "$1/network/container" ] || return 0
    load_state "$1/network"
    [ "$2:$state" = started:running ] || start_container "$1/network"
}

stop_network() {
    [ -f "$1/network/container" ] || return 0
    load_policy "$1/network"
    load_state "$1/network"
    [ "$state" = dead ] || stop_container "$1/network"
}

# What was made for an allocation and never started: a run that was killed has left it.
drop_created() {
    for _id in $(engine 10 ps -aq --no-trunc --filter "label=orch.alloc=$1" \
        --filter "label=orch.cluster=$cluster" --filter status=created 2>/dev/null); do
        # One of a task that waits for its turn may still run.
        ! grep -qx "id=$_id" "$records/$1"/tasks/*/container 2>/dev/null || continue
        engine 20 rm "$_id" >/dev/null 2>&1
    done
}

# remove_containers RECORD: exactly those that its tasks are bound to.
remove_containers() {
    for _each in "$1"/tasks/*/container "$1/network/container"; do
        [ -f "$_each" ] || continue
        engine 30 rm -f -v "$(bound id "${_each%/container}")" >/dev/null 2>&1
    done
    drop_created "${1##*/}"
}

# remove_as_root ALLOC: what a container wrote as root is not this user's to remove, but docker's. The
# program for it is the host's own, so that any image will do.
remove_as_root() {
    has docker || return 1
    _image=$(engine 10 images -q --no-trunc 2>/dev/null | head -n 1)
    [ -n "$_image" ] || return 1
    set -- "$1" -v "$data/alloc:/mnt"
    for _folder in /bin /lib /lib64 /usr; do
        [ ! -d "$_folder" ] || set -- "$@" -v "$_folder:$_folder:ro"
    done
    _alloc=$1
    shift
    engine 60 run --rm --network none --user 0:0 --entrypoint /bin/rm "$@" \
        "$_image" -rf "/mnt/$_alloc" >/dev/null 2>&1
}

# print_containers: what docker says of those it has, and whether it answers at all.
print_containers() {
    has docker || return 0
    if ! _ids=$(engine 10 ps -aq --no-trunc 2>&1); then
        docker_down "$_ids"
        return
    fi
    # shellcheck disable=SC2086 # split on purpose
    [ -z "$_ids" ] || look_at $_ids || return 0
    printf 'docker\tup\n'
}

# print_named NAME...: the same of containers by their names, whoever has them now.
print_named() {
    has docker || return 0
    look_at "$@" || return 0
    printf 'docker\tup\n'
}

look_at() {
    # One that is removed meanwhile is no trouble; any other failure would look like that.
    if ! _all=$(engine 20 inspect --type container --format "$_look" "$@" 2>&1); then
        case $_all in
        *"No such "*) _all=$(printf '%s\n' "$_all" | grep "^container$tab") ;;
        *)
            docker_down "$_all"
            return 1
            ;;
        esac
    fi
    printf '%s\n' "$_all"
}

docker_down() {
    printf 'docker\tdown\t%s\n' "$(printf '%s' "$1" | tr '\t\n' '  ' | head -c 300)"
}

_look='container	id	{{.ID}}	name	{{.Name}}	image	{{.Image}}	status	{{.State.Status}}'
_look="$_look"'	exit	{{.State.ExitCode}}	oom	{{.State.OOMKilled}}	started	{{.State.StartedAt}}'
_look="$_look"'	finished	{{.State.FinishedAt}}	restarts	{{.RestartCount}}'
_look="$_look"'	health	{{with .State.Health}}{{.Status}}{{end}}	error	{{json .State.Error}}'
_look="$_look"'	policy	{{.HostConfig.RestartPolicy.Name}}'
_look="$_look"'	retries	{{.HostConfig.RestartPolicy.MaximumRetryCount}}'
_look="$_look"'	memory	{{.HostConfig.Memory}}	reservation	{{.HostConfig.MemoryReservation}}'
_look="$_look"'	shares	{{.HostConfig.CPUShares}}	quota	{{.HostConfig.CPUQuota}}'
_look="$_look"'	period	{{.HostConfig.CPUPeriod}}	nano_cpus	{{.HostConfig.NanoCPUs}}'
_look="$_look"'	cpuset	{{.HostConfig.CpusetCpus}}	ports	{{json .HostConfig.PortBindings}}'
_look="$_look"'	cluster	{{index .Config.Labels "orch.cluster"}}'
_look="$_look"'	alloc	{{index .Config.Labels "orch.alloc"}}'

# print_strangers OUTPUT: the variables of containers that took the name of one that is bound, by
# what print_containers printed. There is hardly ever one.
print_strangers() {
    _strangers=$({
        cat "$records"/*/tasks/*/container 2>/dev/null
        printf '%s\n' "$1"
    } | awk '
        /^id=/ { id = substr($0, 4) }
        /^name=/ { bound["/" substr($0, 6)] = id }
        /^container\t/ {
            split($0, w, "\t")
            if (w[5] in bound && bound[w[5]] != w[3]) print w[3]
        }')
    [ -n "$_strangers" ] || return 0
    # shellcheck disable=SC2086 # split on purpose
    engine 10 inspect --type container --format \
        'stranger	{{.ID}}	{{json .Config.Env}}' $_strangers 2>/dev/null
}
