# Raise the fences of jobs: KEY EPOCH INDEX COMMIT, four words each. All or the first refusal.
lock_host
check_node
shift 3
mkdir -p "$fences" 2>/dev/null || write_failed "$fences"
while [ $# -ge 4 ]; do
    load_fence "$1"
    if [ "$epoch $index $commit" != "$2 $3 $4" ]; then
        if [ "$epoch" -gt "$2" ] || { [ "$epoch" -eq "$2" ] && [ "$index" -ge "$3" ]; }; then
            fail fenced "$epoch$tab$index$tab$commit"
        fi
        printf '%s %s %s\n' "$2" "$3" "$4" | replace "$fences/$1" 2>/dev/null ||
            write_failed "$fences/$1"
    fi
    shift 4
done
succeed raised
