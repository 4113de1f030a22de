# Restart tasks that run: KEY EPOCH INDEX COMMIT ALLOC TASK... Each is ended as a stop would end it;
# its supervisor brings it back at once, and does not count that against its policy.
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
[ -s "$record/record" ] || fail missing "$5"
[ ! -e "$record/stop" ] || fail tombstone "$5"
shift 5
for _name in "$@"; do
    task_runs "$record/tasks/$_name" || fail not-running "$_name"
done

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

for _name in "$@"; do
    event "$record/tasks/$_name" "Restart Signaled" "User requested running tasks to restart"
    [ ! -f "$record/tasks/$_name/container" ] || continue
    { true >"$record/tasks/$_name/restart"; } 2>/dev/null || write_failed "$record/tasks/$_name"
done
exec 9>&-
for _name in "$@"; do
    if [ -f "$record/tasks/$_name/container" ]; then
        restart_container "$record/tasks/$_name" &
    else
        end_once "$record/tasks/$_name" &
    fi
done
wait
succeed restarted
