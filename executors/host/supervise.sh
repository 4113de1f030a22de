# The supervisor of one task: keeps its restart policy, rotates its logs, records its exits, with
# nobody connected. `sh supervise.sh RECORD TASK`; `--task` in front is the task's own side.
umask 077
self=$0
if [ "$1" = --task ]; then
    shift
    as_task=1
else
    as_task=
fi
record=$1
task=$2
dir=$record/tasks/$task
data=${record%/records/*}
alloc=$data/alloc/${record##*/}
logs=$alloc/alloc/logs

# Tasks of the hook poststop begin when the others have been stopped.
stopping() {
    [ -e "$dir/stop" ] || { [ -e "$record/stop" ] && [ "$own_hook" != poststop ]; }
}

# Its policy and its state, after others have been looked at.
load_own() {
    load_policy "$dir"
    load_state "$dir"
    own_hook=$hook
}

refuse() {
    printf '%s\n' "$1" >"$dir/driver_error"
    exit 127
}

# Whoever ends the last task takes the folder above away: it may vanish just now.
make_cgroup() {
    mkdir -p "$1" || mkdir -p "$1" || mkdir -p "$1"
}

# The task's side: say who it is, join the control group, then become the command.
become_task() {
    identity "$PPID" >"$dir/runner"
    identity $$ >"$dir/pid"
    load_own
    stopping && exit 0
    set_cgroup "$dir"
    if [ -n "$cgroup" ] && make_cgroup "$cgroup" 2>/dev/null; then
        echo $$ >"$cgroup/cgroup.procs" 2>/dev/null || rmdir "$cgroup" 2>/dev/null
    fi
    . "$dir/run"
    _problem=$(
        task_env
        task_check 2>&1
    ) || refuse "$_problem"
    load_state "$dir"
    event "$dir" Started "Task started by client"
    state=running
    started=$now
    save_state "$dir"
    stopping && exit 0
    unset LC_ALL
    umask 022
    task_env
    task_exec
}

# Copy stdin to numbered files as it comes, byte for byte; a full disk drops output, never the task.
rotate() {
    umask 022
    if [ "$log_off" = 1 ]; then exec cat >/dev/null; fi
    n=0
    for _file in "$logs/$task.$1".*; do
        _file=${_file##*.}
        case $_file in *[!0-9]*) continue ;; esac
        [ "$_file" -le "$n" ] || n=$_file
    done
    while :; do
        file=$logs/$task.$1.$n
        size=$(wc -c 2>/dev/null <"$file") || size=0
        blocks=$(((log_size - size) / 4096))
        if [ "$blocks" -le 0 ]; then
            n=$((n + 1))
            prune "$1"
            continue
        fi
        # Each read is written at once, and counts as a record however short it is: fewer records
        # than asked for mean the end.
        report=$(dd bs=4096 count="$blocks" 2>&1 >>"$file")
        case $report in
        *' records in'*)
            records=${report%%' records in'*}
            records=${records##*[!0-9+]}
            case $report in *error*) continue ;; esac
            [ $((${records%+*} + ${records#*+})) -ge "$blocks" ] || break
            ;;
        *)
            # Nothing was even read: the file can't be opened.
            if drop; then break; fi
            ;;
        esac
    done
}

# Throw one read away; true at the end of the stream.
drop() {
    [ "$(dd bs=4096 count=1 2>/dev/null | wc -c)" -eq 0 ]
}

prune() {
    for _file in "$logs/$task.$1".*; do
        _number=${_file##*.}
        case $_number in *[!0-9]*) continue ;; esac
        [ "$_number" -gt $((n - log_files)) ] || rm -f "$_file"
    done
}

# Run the task in the foreground (a background job would ignore SIGINT for ever) between two pipes.
run_task() {
    rm -f "$dir/exit" "$dir/driver_error" "$dir/restart"
    # The locks are closed by exec: a redirection would keep a copy, and with it the lock.
    {
        exec 7>&- 8>&-
        {
            setsid sh "$self" --task "$record" "$task" 3>&-
            _code=$?
            sweep "$dir"
            echo "$_code" >"$dir/exit.tmp" && mv -f "$dir/exit.tmp" "$dir/exit"
        } 2>&1 >&3 3>&- | rotate stderr 3>&-
    } 3>&1 | {
        exec 7>&- 8>&-
        rotate stdout
    }
}

# ms as Go writes a duration: 1m2.5s
duration() {
    if [ "$1" -lt 1000 ]; then
        text=${1}ms
        [ "$1" -ne 0 ] || text=0s
        return
    fi
    _rest=$(($1 % 60000))
    _ms=$((_rest % 1000))
    case $_ms in ?) _ms=00$_ms ;; ??) _ms=0$_ms ;; esac
    text=$((_rest / 1000)).$_ms
    while :; do case $text in *.*0) text=${text%0} ;; *) break ;; esac done
    text=${text%.}s
    if [ "$1" -ge 3600000 ]; then
        text=$(($1 / 3600000))h$(($1 % 3600000 / 60000))m$text
    elif [ "$1" -ge 60000 ]; then
        text=$(($1 / 60000))m$text
    fi
}

jitter() {
    _random=$(od -An -N2 -tu2 /dev/urandom 2>/dev/null)
    jittered=$(($1 + $1 * (${_random:-0} % 250) / 1000))
}

# Wait in small steps, since a stop may come meanwhile.
pause() {
    set_up
    _until=$((up + $1))
    while [ "$up" -lt "$_until" ] && ! stopping; do
        _step=$((_until - up))
        [ "$_step" -le 500 ] || _step=500
        nap "$_step"
        set_up
    done
}

# The task will not run again: $1 is 1 if it failed.
finish() {
    set_now
    state=dead failed=$1 finished=$now
    save_state "$dir"
    if [ "$1" = 1 ]; then
        printf '%s\n' "$task" >"$record/failed"
        [ "$own_hook" = poststop ] || stop_tasks "$record" "$dir" "Sibling Task Failed" \
            "Task's sibling \"$task\" failed" "failed_sibling=$task"
    elif ! stopping; then
        # Whoever stops this one sees to the others too.
        if [ "$was_leader" = 1 ]; then
            stop_tasks "$record" "$dir" "Leader Task Dead"
        elif [ -z "$own_hook" ] && ended_all main && mkdir "$record/mains-dead" 2>/dev/null; then
            stop_sidecars "$record"
        fi
    fi
    release_if_dead "$record"
    exit 0
}

give_up() {
    event "$dir" "Not Restarting" "$1" "restart_reason=$1" "fails_task=true"
    finish 1
}

restart_after() {
    duration "$2"
    if [ "$1" = "Restart within policy" ]; then
        _text="Task restarting in $text"
    else
        _text="$1 - Task restarting in $text"
    fi
    event "$dir" Restarting "$_text" "restart_reason=$1" "start_delay=$(($2))000000"
    restarts=$((restarts + 1))
    last_restart=$now
    state=pending
    save_state "$dir"
    pause "$2"
}

# What the policy says about one end: comes back to run again, or does not come back.
apply_policy() {
    set_up
    if [ $((up - window)) -ge "$interval" ]; then
        count=0
        window=$up
    fi
    count=$((count + 1))
    if [ "$attempts" -eq 0 ]; then
        give_up "Policy allows no restarts"
    elif [ -n "$unrecoverable" ]; then
        give_up "Error was unrecoverable"
    elif [ "$count" -le "$attempts" ]; then
        jitter "$delay"
        restart_after "Restart within policy" "$jittered"
    elif [ "$mode" = delay ]; then
        restart_after "Exceeded allowed attempts, applying a delay" $((window + interval - up))
    else
        give_up "Exceeded allowed attempts $attempts in interval $interval_text and mode is \"fail\""
    fi
}

record_end() {
    code=''
    load_own
    set_now
    finished=$now
    unrecoverable=
    if [ -s "$dir/driver_error" ]; then
        read -r _problem <"$dir/driver_error"
        exit_code='' unrecoverable=1
        event "$dir" "Driver Failure" "$_problem" "driver_error=$_problem"
        return
    fi
    if [ -f "$dir/container" ]; then
        code=$ended_code
        tell_container_end "$dir" "$ended_code" "$ended_oom"
        return
    fi
    tell_end "$dir"
}

after_end() {
    was_leader=$leader
    record_end
    if stopping; then
        event "$dir" Killed "Task successfully killed"
        finish 0
    fi
    if [ -e "$dir/restart" ] && [ ! -s "$dir/restart" ]; then
        restart_after "Restart within policy" 0
        trim_events
        return
    fi
    # What was ended for a check has failed, however it took that.
    [ "$code" != 0 ] || [ "$batch" = 0 ] || [ -e "$dir/restart" ] || finish 0
    apply_policy
    trim_events
}

trim_events() {
    [ "$(wc -l <"$dir/events")" -gt 60 ] || return 0
    stopping || { tail -n 20 "$dir/events" >"$dir/events.tmp" && mv -f "$dir/events.tmp" "$dir/events"; }
}

# Whoever had started the task notes its end, unless that one was killed too.
await_runner() {
    while alive "$dir/runner"; do nap 100; done
}

# Stopped before it ran, or between two runs.
end_between() {
    if [ "$started$waits" = 01 ]; then
        event "$dir" Killing "Sent interrupt. Waiting $kill_timeout_text before force killing" \
            "kill_timeout=$kill_timeout_text"
    else
        event "$dir" Killed "Task successfully killed"
    fi
    finish 0
}

# A supervisor before this one was killed, or the host went down.
take_over() {
    if [ -f "$dir/container" ] && [ "$state" = running ] && [ "$old_boot" = "$_boot" ]; then
        await_container
        after_end
        return
    fi
    if [ -f "$dir/pid" ] && alive "$dir/pid"; then
        while alive "$dir/pid"; do nap 500; done
        await_runner
        sweep "$dir"
        after_end
        return
    fi
    [ "$state" = running ] || return 0
    await_runner
    if [ -f "$dir/exit" ] && [ ! -f "$dir/container" ]; then
        after_end
    else
        sweep "$dir"
        event "$dir" "Restart Signaled" "The host or the task's supervisor had ended"
        restarts=$((restarts + 1))
        set_now
        state=pending last_restart=$now
        save_state "$dir"
    fi
}

supervise() {
    { true >>"$dir/lock"; } 2>/dev/null || exit 0
    exec 8>>"$dir/lock"
    flock -n 8 || exit 0
    exec 7>>"$dir/life"
    flock 7
    old_boot=
    read -r _ _ old_boot 2>/dev/null <"$dir/sup"
    identity $$ >"$dir/sup"
    set_up
    count=0
    window=$up
    load_own
    [ "$state" != dead ] || exit 0
    take_over
    while :; do
        load_own
        was_leader=$leader
        [ "$waits$started" != 10 ] || await_turn
        if stopping; then end_between; fi
        if [ -f "$dir/container" ]; then run_container; else run_task; fi
        after_end
    done
}

if [ -n "$as_task" ]; then become_task; else supervise; fi
