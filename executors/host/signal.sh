# Send a signal to tasks that run: KEY EPOCH INDEX COMMIT ALLOC SIGNAL TASK...
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
_signal=$6
[ -s "$record/record" ] || fail missing "$5"
[ ! -e "$record/stop" ] || fail tombstone "$5"
shift 6
for _name in "$@"; do
    task_runs "$record/tasks/$_name" || fail not-running "$_name"
done
for _name in "$@"; do
    event "$record/tasks/$_name" Signaling "Task being sent a signal" "signal=SIG$_signal"
    signal_task "$record/tasks/$_name" "$_signal"
done
succeed signalled
