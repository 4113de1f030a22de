# Drop what nothing needs any more: EPOCH INDEX COUNT KEY... CONTAINER...
#
# The fences of COUNT jobs that are forgotten; the cluster's floor is raised to EPOCH INDEX before, so
# that whoever was frozen in the middle of an old decision about them is still refused. Then containers
# of this cluster that do not run and that no record is bound to.
lock_host
check_node
shift 3
to_epoch=$1 to_index=$2 count=$3
shift 3

# not_above EPOCH INDEX: whether that is no newer than what the floor is raised to.
not_above() {
    [ "$1" -lt "$to_epoch" ] || { [ "$1" -eq "$to_epoch" ] && [ "$2" -le "$to_index" ]; }
}

if [ "$count" -gt 0 ]; then
    load_floor
    if not_above "$epoch" "$index"; then
        printf '%s %s\n' "$to_epoch" "$to_index" | replace "$floor" 2>/dev/null ||
            write_failed "$floor"
    fi
fi
while [ "$count" -gt 0 ]; do
    load_fence "$1"
    if [ -e "$fences/$1" ] && not_above "$epoch" "$index"; then rm -f "$fences/$1"; fi
    shift
    count=$((count - 1))
done
for _id in "$@"; do
    if grep -qx "id=$_id" "$records"/*/tasks/*/container "$records"/*/network/container 2>/dev/null; then
        continue
    fi
    _label=$(engine 10 inspect --type container --format '{{index .Config.Labels "orch.cluster"}}' \
        "$_id" 2>/dev/null)
    # Without -f: one that runs by now stays.
    [ "$_label" != "$cluster" ] || engine 30 rm -v "$_id" >/dev/null 2>&1 ||
        fail docker "container $_id can't be removed"
done
rm -rf "$records"/.new-* 2>/dev/null
succeed collected
