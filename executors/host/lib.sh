# What the scripts on a host share. POSIX sh only; dash and busybox ash are tested.
# A script is always sent whole: this file comes first, the one that uses it after.
LC_ALL=C
export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
tab=$(printf '\t')
format=1

# The last line says how it went; whoever reads it trusts nothing else.
fail() {
    printf 'orch-error\t%s\t%s\n' "$1" "$2"
    exit 10
}

succeed() {
    printf 'orch-ok\t%s\n' "$1"
    exit 0
}

has() {
    command -v "$1" >/dev/null 2>&1
}

set_data() {
    data=$1
    [ -n "$data" ] && return
    if [ "$(id -u)" = 0 ]; then
        data=/var/lib/orch
    else
        data=${HOME:-/nonexistent}/.local/share/orch
    fi
}

# Time since the epoch in ns, into $now. busybox may not know %N.
set_now() {
    now=$(date +%s%N 2>/dev/null)
    case $now in '' | *[!0-9]*) now=$(date +%s)000000000 ;; esac
}

# Time since boot in ms, into $up: it never jumps.
set_up() {
    read -r up _ </proc/uptime
    _frac=${up#*.}
    up=$((${up%.*} * 1000 + (1$_frac - 100) * 10))
}

# Sleep for some ms; a sleep that knows no fractions sleeps a second more. It outlives a shell that
# is killed: it must not keep that one's locks.
nap() {
    _ms=$(($1 % 1000))
    case $_ms in ?) _ms=00$_ms ;; ??) _ms=0$_ms ;; esac
    sleep "$(($1 / 1000)).$_ms" 2>/dev/null 7>&- 8>&- || sleep $(($1 / 1000 + 1)) 7>&- 8>&-
}

# Print "PID START BOOT" of a live process: start time and boot id tell it from a later namesake.
identity() {
    _stat=
    read -r _stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r _boot </proc/sys/kernel/random/boot_id
    set -f
    # shellcheck disable=SC2086 # split on purpose
    set -- "$1" ${_stat##*) }
    set +f
    [ "$2" != Z ] || return 1
    printf '%s %s %s\n' "$1" "${21}" "$_boot"
}

# Whether the process that a file names still lives; its id comes in $pid.
alive() {
    pid='' _line=''
    read -r _line 2>/dev/null <"$1" || return 1
    pid=${_line%% *}
    case $pid in '' | 0 | 1 | *[!0-9]*) return 1 ;; esac
    [ "$(identity "$pid")" = "$_line" ]
}

# Replace a file by what comes on stdin, so that a reader sees the old or the new, never a part.
replace() {
    cat >"$1.tmp.$$" && sync_files "$1.tmp.$$" && mv -f "$1.tmp.$$" "$1" && return 0
    rm -f "$1.tmp.$$"
    return 1
}

sync_files() {
    sync "$@" 2>/dev/null || sync
}

# event DIR TYPE MESSAGE [KEY=VALUE...]: one line, appended in one write.
event() {
    set_now
    event_now "$@"
}

# The same, of the time in $now.
event_now() {
    _dir=$1 _type=$2 _text=$3
    shift 3
    _line="$now$tab$_type$tab$_text"
    for _detail in "$@"; do _line="$_line$tab$_detail"; done
    printf '%s\n' "$_line" >>"$_dir/events"
}

load_state() {
    state=pending failed=0 restarts=0 started=0 finished=0 last_restart=0 exit_code='' signal=0
    [ -s "$1/state" ] || return 0
    while IFS== read -r _key _value; do
        case $_key in
        state) state=$_value ;;
        failed) failed=$_value ;;
        restarts) restarts=$_value ;;
        started) started=$_value ;;
        finished) finished=$_value ;;
        last_restart) last_restart=$_value ;;
        exit_code) exit_code=$_value ;;
        signal) signal=$_value ;;
        esac
    done <"$1/state"
}

save_state() {
    write_state "$1/state.tmp.$$" && mv -f "$1/state.tmp.$$" "$1/state"
}

write_state() {
    printf 'state=%s\nfailed=%s\nrestarts=%s\nstarted=%s\nfinished=%s\n' \
        "$state" "$failed" "$restarts" "$started" "$finished" >"$1" &&
        printf 'last_restart=%s\nexit_code=%s\nsignal=%s\n' \
            "$last_restart" "$exit_code" "$signal" >>"$1"
}

load_policy() {
    attempts=0 interval=0 delay=0 mode=fail interval_text='' batch=0 leader=0 hook='' sidecar=0 waits=0
    kill_timeout=5000 kill_timeout_text=5s kill_signal=INT group_delay=0
    shutdown_delay=0 shutdown_delay_text=0s
    log_size=10485760 log_files=10 log_off=0
    while IFS== read -r _key _value; do
        case $_key in
        attempts) attempts=$_value ;;
        interval) interval=$_value ;;
        interval_text) interval_text=$_value ;;
        delay) delay=$_value ;;
        mode) mode=$_value ;;
        batch) batch=$_value ;;
        leader) leader=$_value ;;
        hook) hook=$_value ;;
        sidecar) sidecar=$_value ;;
        waits) waits=$_value ;;
        kill_timeout) kill_timeout=$_value ;;
        kill_timeout_text) kill_timeout_text=$_value ;;
        kill_signal) kill_signal=$_value ;;
        group_delay) group_delay=$_value ;;
        shutdown_delay) shutdown_delay=$_value ;;
        shutdown_delay_text) shutdown_delay_text=$_value ;;
        log_size) log_size=$_value ;;
        log_files) log_files=$_value ;;
        log_off) log_off=$_value ;;
        esac
    done <"$1/policy"
}

# Tell how a task ended, from the `exit` file its runner left; sets $code, $exit_code and $signal.
tell_end() {
    code=
    read -r code 2>/dev/null <"$1/exit"
    case $code in '' | *[!0-9]*) code=255 ;; esac
    exit_code=$code signal=0 _end="Exit Code: $code"
    if [ "$code" -gt 128 ] && [ "$code" -le 192 ]; then
        signal=$((code - 128))
        _end="$_end, Signal: $signal"
    fi
    event "$1" Terminated "$_end" "exit_code=$code" "signal=$signal" "oom_killed=false"
}

# A task's own control group, into $cgroup; empty where none can be made.
set_cgroup() {
    cgroup=
    for _root in /sys/fs/cgroup/pids /sys/fs/cgroup/freezer /sys/fs/cgroup; do
        if [ -f "$_root/cgroup.procs" ] && [ -w "$_root/cgroup.procs" ]; then
            _alloc=${1%/tasks/*}
            cgroup=$_root/orch/${_alloc##*/}.${1##*/}
            return
        fi
    done
}

# Kill what a task left behind: its group's rest, its control group, and whatever carries its name.
sweep() {
    _swept=$1 _line=
    read -r _line 2>/dev/null <"$_swept/pid"
    _pid=${_line%% *}
    case $_pid in '' | 0 | 1 | *[!0-9]*) ;; *) kill -KILL "-$_pid" 2>/dev/null ;; esac
    set_cgroup "$_swept"
    _round=0
    if [ -n "$cgroup" ] && [ -d "$cgroup" ]; then
        while [ "$_round" -lt 50 ] && read -r _pid 2>/dev/null <"$cgroup/cgroup.procs"; do
            while read -r _pid; do kill -KILL "$_pid" 2>/dev/null; done <"$cgroup/cgroup.procs"
            nap 20
            _round=$((_round + 1))
        done
        rmdir "$cgroup" 2>/dev/null && rmdir "${cgroup%/*}" 2>/dev/null
        return 0
    fi
    _alloc=${_swept%/tasks/*}
    for _round in 1 2 3; do
        _found=
        for _file in $(grep -lzxF "NOMAD_ALLOC_ID=${_alloc##*/}" /proc/[0-9]*/environ 2>/dev/null); do
            grep -qzxF "NOMAD_TASK_NAME=${_swept##*/}" "$_file" 2>/dev/null || continue
            _file=${_file#/proc/}
            kill -KILL "${_file%/environ}" 2>/dev/null && _found=1
        done
        [ -n "$_found" ] || return 0
        nap 20
    done
}

# Say that a task is being ended, and give it the time that it wants before that.
tell_killing() {
    event "$1" Killing "Sent interrupt. Waiting $kill_timeout_text before force killing" \
        "kill_timeout=$kill_timeout_text"
    [ "$shutdown_delay" -gt 0 ] || return 0
    event "$1" "Waiting for shutdown delay" \
        "Waiting for shutdown_delay of $shutdown_delay_text before killing the task."
    nap "$shutdown_delay"
}

# End one task: its signal, its time to end by itself, SIGKILL; then wait for its supervisor.
stop_task() {
    load_policy "$1"
    load_state "$1"
    [ "$state" = dead ] && return
    true >"$1/stop"
    if [ -f "$1/container" ]; then
        stop_container "$1"
        return
    fi
    _signalled='' _dead=''
    while :; do
        set_up
        if alive "$1/pid"; then
            if [ -z "$_signalled" ]; then
                tell_killing "$1"
                set_up
                kill "-$kill_signal" "-$pid" 2>/dev/null
                _signalled=$((up + kill_timeout))
            elif [ "$up" -ge "$_signalled" ]; then
                kill -KILL "-$pid" 2>/dev/null
            fi
        elif alive "$1/sup"; then
            # It tells the end and leaves by itself; one that hangs is not waited for.
            : "${_dead:=$((up + 10000))}"
            [ "$up" -lt "$_dead" ] || kill -KILL "$pid" 2>/dev/null
        elif alive "$1/runner"; then
            # Its supervisor was killed: this one still notes the end.
            : "${_dead:=$((up + 10000))}"
            [ "$up" -lt "$_dead" ] || break
        else
            break
        fi
        nap 50
    done
    load_state "$1"
    [ "$state" = dead ] && return
    sweep "$1"
    [ "$state" != running ] || tell_end "$1"
    event "$1" Killed "Task successfully killed"
    set_now
    state=dead failed=0 finished=$now
    save_state "$1"
}

# When a task is ended, of those that are ended together: leaders, other tasks, sidecars. The
# tasks of the hook poststop never are: they begin when all others have ended.
phase_of() {
    load_policy "$1"
    phase=2
    if [ "$hook" = poststop ]; then
        phase=0
    elif [ "$leader" = 1 ]; then
        phase=1
    elif [ "$sidecar" = 1 ]; then
        phase=3
    fi
    [ "$phase" = "$2" ]
}

# End an allocation's tasks, but for $2, in the order of their phases; each is told $3, with the
# text $4. Where nothing is given they are told of the leader, and sidecars of main tasks.
stop_tasks() {
    _followed=
    hold_group "$1"
    for _phase in 1 2 3; do
        for _task in "$1"/tasks/*/; do
            _task=${_task%/}
            [ -f "$_task/policy" ] && [ "$_task" != "$2" ] && phase_of "$_task" "$_phase" || continue
            load_state "$_task"
            [ "$state" != dead ] || continue
            case $_phase:${3:-$_followed} in
            1: | 2:) ;;
            3: | "3:Leader Task Dead")
                event "$_task" "Main Tasks Dead" "Main tasks in the group died"
                ;;
            2:"Leader Task Dead") event "$_task" "Leader Task Dead" "Leader Task in Group dead" ;;
            *) event "$_task" "$3" "$4" ${5:+"$5"} ;;
            esac
            [ "$_phase" != 1 ] || _followed="Leader Task Dead"
            stop_task "$_task" &
        done
        wait
    done
}

# The group's shutdown_delay: once, before any of its tasks is told to end.
hold_group() {
    _longest=0
    for _task in "$1"/tasks/*/; do
        [ -f "${_task}policy" ] || continue
        load_policy "${_task%/}"
        load_state "${_task%/}"
        [ "$state" = dead ] || [ "$group_delay" -le "$_longest" ] || _longest=$group_delay
    done
    [ "$_longest" = 0 ] || nap "$_longest"
}

# What ends with the last main task: sidecars, and tasks of hooks that have not ended by then.
stop_sidecars() {
    for _task in "$1"/tasks/*/; do
        _task=${_task%/}
        [ -f "$_task/policy" ] || continue
        load_policy "$_task"
        case $hook in '' | poststop) continue ;; esac
        load_state "$_task"
        [ "$state" != dead ] || continue
        event "$_task" "Main Tasks Dead" "Main tasks in the group died"
        stop_task "$_task" &
    done
    wait
}

# Give the reservation back once every task is dead.
release_if_dead() {
    for _task in "$1"/tasks/*/; do
        [ -d "$_task" ] || continue
        load_state "${_task%/}"
        [ "$state" = dead ] || return 1
    done
    sync_files "$1"/tasks/*/state
    true >"$1/released"
}

# The TCP ports that something listens on, one a line, some twice.
listening() {
    if has ss; then
        ss -Hltn 2>/dev/null | awk '{ n = split($4, a, ":"); print a[n] }'
    else
        cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '
            function hex(s,  i, v) {
                for (i = 1; i <= length(s); i++)
                    v = v * 16 + index("0123456789ABCDEF", toupper(substr(s, i, 1))) - 1
                return v
            }
            $4 == "0A" { n = split($2, a, ":"); print hex(a[n]) }'
    fi
}
