# Forget a stopped allocation, files and all: KEY EPOCH INDEX COMMIT ALLOC.
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
record=$records/$5
if [ -e "$record" ]; then
    [ -e "$record/released" ] || fail alive "$5"
    for _each in "$record"/tasks/*/; do
        _each=${_each%/}
        if [ -d "$_each" ] && use_systemd "$_each"; then drop_unit "$_each"; fi
    done
fi
remove_containers "$record"
rm -rf "${data:?}/alloc/$5" 2>/dev/null || remove_as_root "$5" || fail write "$data/alloc/$5${tab}0"
rm -rf "$record" 2>/dev/null || fail write "$record${tab}0"
sync_files "$records"
succeed removed
