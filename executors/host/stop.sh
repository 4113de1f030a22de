# Stop an allocation for good. KEY EPOCH INDEX COMMIT ALLOC; a record for one that never was here
# comes on stdin, so that it can't start later. The tombstone first, then, without the lock, the
# tasks.

# await_poststops: tasks that begin when the others have ended end by themselves, within 5 minutes.
await_poststops() {
    set_up
    _until=$((up + 300000))
    for _each in "$record"/tasks/*/; do
        _each=${_each%/}
        [ -f "$_each/policy" ] || continue
        load_policy "$_each"
        [ "$hook" = poststop ] || continue
        while load_state "$_each" && [ "$state" != dead ]; do
            set_up
            [ "$up" -lt "$_until" ] || return 1
            alive "$_each/sup" || launch "$_each"
            nap 100
        done
    done
}

lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
if ! [ -e "$record" ]; then
    staged=$records/.new-$5
    rm -rf "$staged"
    mkdir -p "$staged/tasks" 2>/dev/null || write_failed "$staged"
    unpack "$staged" 2>/dev/null
    true >"$staged/released"
    true >"$staged/stop"
    mv "$staged" "$record" 2>/dev/null || write_failed "$record"
    staged=
fi
# An empty file needs no room: a full disk doesn't keep a task from being stopped.
{ true >"$record/stop"; } 2>/dev/null || write_failed "$record/stop"
sync_files "$record/stop" "$record" "$records"
exec 9>&-
if has docker; then drop_created "$5"; fi
if has_containers "$record" && ! [ -e "$record/released" ]; then
    engine_answers || fail docker "it must answer before its containers can be stopped"
fi
if ! [ -e "$record/released" ]; then
    stop_tasks "$record"
    await_poststops || fail alive "$5"
fi
stop_network "$record"
for _each in "$record"/tasks/*/; do
    _each=${_each%/}
    [ -d "$_each" ] || continue
    if use_systemd "$_each"; then drop_unit "$_each"; fi
    # What a task was started with may hold secrets, and is of no use any more.
    rm -f "$_each/run"
done
rm -rf "$data/alloc/$5"/*/secrets/* 2>/dev/null
release_if_dead "$record" || fail alive "$5"
succeed stopped
