# Update an allocation in place. KEY EPOCH INDEX COMMIT ALLOC TOKEN; its new record and policies
# come on stdin and replace the old ones; the tasks are not touched.
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
[ -e "$record" ] || fail missing "$5"
[ ! -e "$record/stop" ] || fail tombstone "$5"
[ "$(field token "$record/record")" = "$6" ] || fail taken "$5"
staged=$records/.new-$5
rm -rf "$staged"
mkdir -p "$staged" 2>/dev/null || write_failed "$staged"
unpack "$staged" 2>/dev/null
for _each in "$staged"/tasks/*/policy; do
    _task=${_each%/policy}
    _task=${_task##*/}
    [ -d "$record/tasks/$_task" ] || continue
    sync_files "$_each"
    mv -f "$_each" "$record/tasks/$_task/policy" 2>/dev/null || write_failed "$record"
done
sync_files "$staged/record"
mv -f "$staged/record" "$record/record" 2>/dev/null || write_failed "$record"
rm -rf "$staged"
sync_files "$record"
succeed updated
