# Restart tasks: KEY EPOCH INDEX COMMIT ALLOC WHICH BLAME TASK... Those that run are ended as a stop
# would end them; their supervisors bring them back at once, and do not count that against their
# policies, unless BLAME says what they are restarted for: then it is a failure as another.
# Where WHICH is `all`, those that have ended are begun anew; where it is `running` they are refused.
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
[ -s "$record/record" ] || fail missing "$5"
[ ! -e "$record/stop" ] || fail tombstone "$5"
# until_told TASKDIR: until the supervisor of a task that has ended has told so, and is gone.
until_told() {
    _looks=100
    while alive "$1/sup"; do
        load_state "$1"
        # It may wait to start the task again by itself.
        [ "$state" = dead ] || return 0
        [ "$_looks" -gt 0 ] || return 1
        _looks=$((_looks - 1))
        nap 50
    done
}

# awaits_turn TASKDIR: whether others of the group come first.
awaits_turn() {
    load_policy "$1"
    load_state "$1"
    [ "$waits$started$state" = 10pending ]
}

which=$6 blame=$7
shift 7
at=0
for _name in "$@"; do
    at=$((at + 1))
    if task_runs "$record/tasks/$_name"; then
        eval "runs_$at=1"
    else
        [ "$which" = all ] || fail not-running "$_name"
        eval "runs_$at="
        ! awaits_turn "$record/tasks/$_name" || continue
        until_told "$record/tasks/$_name" || fail busy "$_name"
    fi
done
# Where all have ended, what they had reserved may be somebody else's by now.
[ ! -e "$record/released" ] || fail not-running "$1"

# end_once TASKDIR: until the process that runs now has ended.
end_once() {
    load_policy "$1"
    read -r _ended <"$1/pid"
    _limit=
    while alive "$1/pid" && [ "$_line" = "$_ended" ]; do
        set_up
        if [ -z "$_limit" ]; then
            kill "-$kill_signal" "-$pid" 2>/dev/null
            _limit=$((up + kill_timeout))
        elif [ "$up" -ge "$_limit" ]; then
            kill -KILL "-$pid" 2>/dev/null
        fi
        nap 50
    done
}

# begin_anew TASKDIR: a task that has ended, as if it never had.
begin_anew() {
    load_state "$1"
    [ "$state" = dead ] || return 0
    rm -f "${1%/tasks/*}/mains-dead"
    rm -f "$1/stop" "$1/exit" "$1/driver_error"
    set_now
    state=pending failed=0 finished=0 restarts=$((restarts + 1)) last_restart=$now
    save_state "$1" || write_failed "$1"
    launch "$1"
}

at=0
for _name in "$@"; do
    at=$((at + 1)) task=$record/tasks/$_name
    ! awaits_turn "$task" || continue
    event "$task" "Restart Signaled" "${blame:-User requested $which tasks to restart}"
    if eval "[ -z \"\$runs_$at\" ]"; then
        begin_anew "$task"
    elif [ ! -f "$task/container" ] || supervised "$task"; then
        { printf '%s' "${blame:+failed}" >"$task/restart"; } 2>/dev/null || write_failed "$task"
    fi
done
exec 9>&-
at=0
for _name in "$@"; do
    at=$((at + 1)) task=$record/tasks/$_name
    if eval "[ -z \"\$runs_$at\" ]"; then
        continue
    elif [ -f "$task/container" ]; then
        restart_container "$task" &
    else
        end_once "$task" &
    fi
done
wait
succeed restarted
