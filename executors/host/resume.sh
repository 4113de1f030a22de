# Bring back the supervisors of an allocation that should run: KEY EPOCH INDEX COMMIT ALLOC.
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
[ -s "$record/record" ] || fail missing "$5"
[ ! -e "$record/stop" ] || fail tombstone "$5"
[ -e "$record/released" ] || launch_all "$record"
succeed resumed
