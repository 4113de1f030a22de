# Print a task's output: DATA ALLOC TASK STREAM FOLLOW AMOUNT. AMOUNT is `all`, `lines:N` or
# `bytes:N`. Every rotated file in order; following goes on through rotation and restarts. Reads
# only.
set_data "$1"
record=$data/records/$2
base=$data/alloc/$2/alloc/logs/$3.$4
follow=$5
[ -d "${base%/*}" ] || { printf 'no logs of this allocation on the host\n' >&2; exit 3; }

# The lowest and the highest number, in $first and $last.
set_range() {
    first='' last=''
    for _file in "$base".*; do
        _number=${_file##*.}
        [ -f "$_file" ] || continue
        case $_number in *[!0-9]*) continue ;; esac
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

parent() {
    read -r _stat <"/proc/$$/stat"
    _stat=${_stat##*) }
    _stat=${_stat#* }
    printf '%s' "${_stat%% *}"
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

set_range
end=0
[ -z "$last" ] || end=$(size "$last")
stop_at=${last:-0}
if [ -n "$last" ]; then
    case $6 in
    all) whole ;;
    lines:*) whole | tail -n "${6#lines:}" ;;
    bytes:*) whole | tail -c "${6#bytes:}" ;;
    esac
fi
[ "$follow" = 1 ] || exit 0
n=$stop_at offset=$end
follow
