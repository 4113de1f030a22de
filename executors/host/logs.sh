# Print a task's output: DATA ALLOC TASK STREAM AMOUNT SINCE TIMES. AMOUNT is `lines:N` or `bytes:N`.
# SINCE, in seconds since the epoch, leaves out files not written since. Every rotated file in order.
# With TIMES, and where the lines have any, it says "orch-log times" first, and each line begins with
# its time. Reads only.
set_data "$1"
record=$data/records/$2
base=$data/alloc/$2/alloc/logs/$3.$4
stream=$4
since=${6:-0}
times=$7

# docker's own log of a container, one stream of it, with the flags given.
container_logs() {
    if [ "$stream" = stdout ]; then
        exec docker logs "$@" 2>/dev/null
    else
        exec docker logs "$@" 2>&1 >/dev/null
    fi
}

# read_container ID AMOUNT
read_container() {
    case $2 in
    lines:*) set -- "$1" "$2" "--tail=${2#lines:}" ;;
    *) set -- "$1" "$2" --tail=all ;;
    esac
    [ "$since" = 0 ] || set -- "$@" "--since=$since"
    if [ "$times" = 1 ]; then
        printf 'orch-log times\n'
        set -- "$@" --timestamps
    fi
    _id=$1 _amount=$2
    shift 2
    case $_amount in
    bytes:*) (container_logs "$@" "$_id") | tail -c "${_amount#bytes:}" ;;
    *) container_logs "$@" "$_id" ;;
    esac
    exit 0
}

if [ -f "$record/tasks/$3/container" ]; then
    _id=$(bound id "$record/tasks/$3")
    if [ -z "$(engine 10 inspect --type container --format '{{.Id}}' "$_id" 2>/dev/null)" ]; then
        printf 'its container is gone\n' >&2
        exit 3
    fi
    read_container "$_id" "$5"
fi
[ -d "${base%/*}" ] || { printf 'no logs of this allocation on the host\n' >&2; exit 3; }

# A stat that is none of the known ones leaves nothing out.
written_since() {
    [ "$since" != 0 ] || return 0
    _written=$(stat -c %Y "$1" 2>/dev/null)
    [ "${_written:-$since}" -ge "$since" ]
}

# The lowest number that is wanted and the highest one, in $first and $last.
first='' last=''
for _file in "$base".*; do
    _number=${_file##*.}
    [ -f "$_file" ] || continue
    case $_number in *[!0-9]*) continue ;; esac
    [ -n "$last" ] && [ "$_number" -le "$last" ] || last=$_number
    written_since "$_file" || continue
    [ -n "$first" ] && [ "$_number" -ge "$first" ] || first=$_number
done
[ -n "$first" ] || exit 0

# Everything up to where the end is now.
_size=$(wc -c 2>/dev/null <"$base.$last") || _size=0
whole() {
    while [ "$first" -lt "$last" ]; do
        cat "$base.$first" 2>/dev/null
        first=$((first + 1))
    done
    head -c "$_size" "$base.$last" 2>/dev/null
}

case $5 in
lines:*) whole | tail -n "${5#lines:}" ;;
*) whole | tail -c "${5#bytes:}" ;;
esac
