# Print a task's output: DATA ALLOC TASK STREAM FOLLOW AMOUNT SINCE TIMES. AMOUNT is `all`, `lines:N` or
# `bytes:N`, or, to go on where a follower was cut off, `from:FILE:OFFSET` (an offset below 0 is in
# the files before). SINCE, in seconds since the epoch, leaves out files not written since. Every
# rotated file in order; following goes on through rotation and restarts. Reads only.
#
# A follower is told first where it is: "orch-log FILE OFFSET SIZE" says that SIZE bytes follow that
# end at OFFSET of FILE. Of a container it hears "orch-log times": every line begins with its time,
# `since:TIME` goes on there, and the last line says whether it is over or to be asked again.
set_data "$1"
record=$data/records/$2
base=$data/alloc/$2/alloc/logs/$3.$4
follow=$5
since=${7:-0}
# docker's own log of a container, one stream of it, with the flags given.
container_logs() {
    if [ "$stream" = stdout ]; then
        exec docker logs "$@" 2>/dev/null
    else
        exec docker logs "$@" 2>&1 >/dev/null
    fi
}

container_status() {
    engine 10 inspect --type container --format '{{.State.Status}}' "$1" 2>/dev/null
}

# follow_container ID FLAGS...: until its output ends, or whoever asked is gone.
follow_container() {
    _id=$1
    shift
    printf 'orch-log times\n'
    (container_logs --follow --timestamps "$@" "$_id") &
    _reader=$! _parent=$(parent)
    while kill -0 "$_reader" 2>/dev/null; do
        [ "$(parent)" = "$_parent" ] || { kill "$_reader"; exit 0; }
        nap 300
    done
    case $(container_status "$_id") in running | restarting) ;; *) nap 2000 ;; esac
    case $(container_status "$_id") in
    running | restarting) printf 'orch-log again\n' ;;
    *) printf 'orch-log over\n' ;;
    esac
    exit 0
}

# read_container ID AMOUNT
read_container() {
    _since=
    [ "$since" = 0 ] || _since="--since=$since"
    case $2 in
    lines:*) _flag=--tail=${2#lines:} ;;
    since:*) _flag=--since=${2#since:} ;;
    *) _flag=--tail=all ;;
    esac
    if [ "$follow" = 1 ]; then
        follow_container "$1" "$_flag" ${_since:+"$_since"}
    fi
    set -- "$1" "$2" "$_flag" ${_since:+"$_since"}
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

parent() {
    read -r _stat <"/proc/$$/stat"
    _stat=${_stat##*) }
    _stat=${_stat#* }
    printf '%s' "${_stat%% *}"
}

stream=$4 times=$8
if [ -f "$record/tasks/$3/container" ]; then
    _id=$(bound id "$record/tasks/$3")
    [ -n "$(container_status "$_id")" ] || { printf 'its container is gone\n' >&2; exit 3; }
    read_container "$_id" "$6"
fi
[ -d "${base%/*}" ] || { printf 'no logs of this allocation on the host\n' >&2; exit 3; }

# A stat that is none of the known ones leaves nothing out.
written_since() {
    _written=$(stat -c %Y "$1" 2>/dev/null)
    [ "${_written:-$since}" -ge "$since" ]
}

# The lowest and the highest number, in $first and $last.
set_range() {
    first='' last=''
    for _file in "$base".*; do
        _number=${_file##*.}
        [ -f "$_file" ] || continue
        case $_number in *[!0-9]*) continue ;; esac
        [ "$since" = 0 ] || written_since "$_file" || continue
        [ -n "$first" ] && [ "$_number" -ge "$first" ] || first=$_number
        [ -n "$last" ] && [ "$_number" -le "$last" ] || last=$_number
    done
}

# Print what file $n has beyond $offset, up to byte $1.
advance() {
    [ "$1" -gt "$offset" ] || return 1
    tail -c "+$((offset + 1))" "$base.$n" 2>/dev/null | head -c $(($1 - offset)) || exit 0
    offset=$1
}

size() {
    wc -c 2>/dev/null <"$base.$1" || echo 0
}

# Everything from the first file up to where this script found the end.
whole() {
    n=$first
    while [ "$n" -le "$last" ]; do
        offset=0
        if [ "$n" = "$last" ]; then advance "$end"; else advance "$(size "$n")"; fi
        n=$((n + 1))
    done
}

# Whatever comes, until the allocation is over or whoever asked is gone.
follow() {
    _parent=$(parent)
    while [ "$(parent)" = "$_parent" ]; do
        _over=''
        [ ! -e "$record/released" ] || _over=1
        set_range
        # Looked at only after a newer file was seen: then this one grows no more.
        advance "$(size "$n")"
        if [ -n "$last" ] && [ "$n" -lt "$last" ]; then
            n=$((n + 1)) offset=0
            [ "$n" -ge "$first" ] || n=$first
        elif [ -n "$_over" ]; then
            break
        else
            nap 200
        fi
    done
}

# The part of everything that was asked for.
part() {
    case $1 in
    all) whole ;;
    lines:*) whole | tail -n "${1#lines:}" ;;
    bytes:*) whole | tail -c "${1#bytes:}" ;;
    esac
}

# Find the place that a follower had come to; what was removed meanwhile is passed over.
find_place() {
    _place=${1#from:}
    n=${_place%%:*} offset=${_place#*:}
    case $n:${offset#-} in *[!0-9:]* | :* | *:) n=${first:-0} offset=0 ;; esac
    [ -n "$last" ] || return 0
    while [ "$offset" -lt 0 ] && [ "$n" -gt "$first" ]; do
        n=$((n - 1))
        offset=$((offset + $(size "$n")))
    done
    [ "$n" -ge "$first" ] || n=$first offset=0
    [ "$offset" -ge 0 ] || offset=0
    while [ "$n" -lt "$last" ] && [ "$offset" -ge "$(size "$n")" ]; do
        if [ -f "$base.$n" ]; then offset=$((offset - $(size "$n"))); else offset=0; fi
        n=$((n + 1))
    done
}

set_range
_first=$first since=0
set_range
case $6 in
from:*)
    find_place "$6"
    printf 'orch-log %s %s 0\n' "$n" "$offset"
    follow
    exit 0
    ;;
esac
end=0
if [ -n "$last" ]; then
    end=$(size "$last")
    first=${_first:-$((last + 1))}
fi
stop_at=${last:-0}
if [ "$follow" = 1 ]; then
    _size=0
    [ -z "$last" ] || _size=$(part "$6" | wc -c)
    printf 'orch-log %s %s %s\n' "$stop_at" "$end" "$((_size))"
fi
[ -z "$last" ] || part "$6"
[ "$follow" = 1 ] || exit 0
n=$stop_at offset=$end
follow
