# What is done to tasks that run, whatever runs them: processes of their own, or containers.

container_runs() {
    [ "$(engine 10 inspect --type container --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]
}

task_runs() {
    if [ -f "$1/container" ]; then
        container_runs "$(bound id "$1")"
    else
        alive "$1/pid"
    fi
}

# signal_task TASKDIR SIGNAL. A container's first process is signalled from outside where that is
# allowed: a signal through dockerd may count as a stop by hand, after which it restarts nothing.
signal_task() {
    if [ -f "$1/container" ]; then
        _id=$(bound id "$1")
        pid=$(engine 10 inspect --type container --format '{{.State.Pid}}' "$_id" 2>/dev/null)
        case $pid in '' | 0 | 1 | *[!0-9]*) return 1 ;; esac
        kill "-$2" "$pid" 2>/dev/null || engine 10 kill --signal "$2" "$_id" >/dev/null 2>&1
    elif alive "$1/pid"; then
        kill "-$2" "$pid" 2>/dev/null
    fi
}

# restart_container TASKDIR: as a stop would end it, and at once again.
restart_container() {
    load_policy "$1"
    _id=$(bound id "$1") _patience=$(((kill_timeout + 999) / 1000))
    if supervised "$1"; then
        engine $((_patience + 30)) stop --time "$_patience" "$_id" >/dev/null 2>&1
        return
    fi
    _since=$(date +%s)
    engine $((_patience + 30)) restart --time "$_patience" "$_id" >/dev/null 2>&1 || return 1
    # Its state is the new process's by now: how the old one ended is with dockerd's events.
    set_now
    _end=$(engine 10 events --since "$_since" --until "${now%?????????}.${now#??????????}" \
        --filter "container=$_id" --filter event=die \
        --format '{{index .Actor.Attributes "exitCode"}}' 2>/dev/null | tail -n 1)
    case $_end in '' | *[!0-9]*) ;; *) tell_container_end "$1" "$_end" false ;; esac
    event "$1" Restarting "Task restarting in 0s" "restart_reason=" "start_delay=0"
    load_state "$1"
    set_now
    restarts=$((restarts + 1)) last_restart=$now started=$now state=running
    save_state "$1"
    event "$1" Started "Task started by client"
}
