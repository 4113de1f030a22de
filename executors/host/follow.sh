# Follow any number of outputs of tasks over one stream: DATA CLUSTER NAMESPACE JOB. Reads only.
#
# What to follow comes on stdin, one output a line, `KEY ALLOC STREAM AMOUNT SINCE TASK`, and an empty
# line after the last one of several; more may come at any time. AMOUNT is `all`, `lines:N` or
# `bytes:N`, or, to go on where a follower was cut off, `from:FILE:OFFSET` or, of a container,
# `since:TIME`. SINCE, in seconds since the epoch, leaves out what is older. When stdin ends, whoever
# asked is gone, and so is all of this.
#
# All that is said is in frames: a line "orch-log KIND KEY FILE OFFSET SIZE", then SIZE bytes.
#   ready   this script runs
#   file    bytes of a file, from OFFSET on
#   again   a container's log begins here, or goes on: every line with its time before it
#   timed   some more bytes of that
#   paused  it has ended, and the container runs: to be asked for again, since its last line
#   over    there is nothing more to come; gone: there are no logs
#   new     KEY is an allocation of the job that has come to this host
exec 2>/dev/null
set_data "$1"
cluster=$2 namespace=$3 job=$4
most=262144

# A file that nobody else sees, and that is gone with the last process that has it open: fd $1.
open_hidden() {
    for _dir in /dev/shm "${TMPDIR:-/tmp}" "$data"; do
        _hidden=$(mktemp "$_dir/.orch-log.XXXXXX") && break
    done
    [ -n "$_hidden" ] || exit 1
    eval "exec $1<>\"\$_hidden\""
    rm -f "$_hidden"
}
# Where pieces wait for their size to be known, and the lock that keeps frames apart.
spool=/proc/self/fd/5 lock=/proc/self/fd/6

# emit KIND KEY FILE OFFSET: what is in the spool, $got bytes, as one frame.
emit() {
    (
        flock 7
        printf 'orch-log %s %s %s %s %s\n' "$1" "$2" "$3" "$4" "$got"
        [ "$got" = 0 ] || cat <"$spool"
    ) 7<>"$lock" || exit 1
}

# tell KIND KEY: a frame without bytes.
tell() {
    got=0
    emit "$1" "$2" 0 0
}

set_got() {
    got=$(wc -c <"$spool") || got=0
    got=$((got))
}

# docker's own log of a container, one stream of it, with the flags given.
container_logs() {
    if [ "$stream" = stdout ]; then
        exec docker logs "$@" 2>/dev/null
    else
        exec docker logs "$@" 2>&1 >/dev/null
    fi
}

# tell_pause KEY ID: whether more is to come of a container whose log has ended. One that is being
# restarted may be down for a moment, and dockerd too.
tell_pause() {
    _looks=2
    while [ "$_looks" -gt 0 ]; do
        nap 1000
        case $(engine 10 inspect --type container --format '{{.State.Status}}' "$2") in
        running | restarting)
            tell paused "$1"
            return
            ;;
        '') engine_answers || continue ;;
        esac
        _looks=$((_looks - 1))
    done
    tell over "$1"
}

# follow_container KEY ID: until docker's log of it ends.
follow_container() {
    open_hidden 5
    case $amount in
    lines:*) _flag=--tail=${amount#lines:} ;;
    since:*) _flag=--since=${amount#since:} since=0 ;;
    bytes:*) _flag=--tail=$(($( (container_logs "$2") | tail -c "${amount#bytes:}" | wc -l))) ;;
    *) _flag=--tail=all ;;
    esac
    tell again "$1"
    [ "$since" = 0 ] || set -- "$1" "$2" "--since=$since"
    (
        _id=$2
        shift 2
        container_logs --follow --timestamps "$_flag" "$@" "$_id"
    ) | while :; do
        dd bs=65536 count=1 >"$spool"
        set_got
        [ "$got" -gt 0 ] || break
        emit timed "$1" 0 0
    done
    tell_pause "$1" "$2"
    return 0
}

# Of the output that is at work: its allocation's $record, the $base of its files' names, and the
# place that it has come to, byte $offset of file $n.
load_output() {
    eval "record=\$record_$1 base=\$base_$1 n=\$n_$1 offset=\$offset_$1"
}

keep_output() {
    eval "n_$1=\$n offset_$1=\$offset"
}

drop_output() {
    _left=
    for _key in $keys; do [ "$_key" = "$1" ] || _left="$_left $_key"; done
    keys=$_left
}

# The lowest and the highest number of its files, in $first and $last.
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

size_of() {
    stat -c %s "$1" || wc -c <"$1" || echo 0
}

# The sizes of files, in order, into $sizes: one process for all of them as long as all are there.
set_sizes() {
    sizes=$(stat -c %s "$@") || sizes=$(for _file in "$@"; do size_of "$_file"; done)
}

# Leave files out that were not written since; a stat that is none of the known ones leaves none out.
skip_old() {
    [ "$since" != 0 ] || return 0
    while [ "$first" -le "$last" ]; do
        if [ -f "$base.$first" ]; then
            _written=$(stat -c %Y "$base.$first")
            [ "${_written:-$since}" -lt "$since" ] || break
        fi
        first=$((first + 1))
    done
}

# Print the files from $1 on, up to byte $end of the last.
print_from() {
    _number=$1
    while [ "$_number" -lt "$last" ]; do
        cat "$base.$_number"
        _number=$((_number + 1))
    done
    head -c "$end" "$base.$last"
}

# The size of the last $1 lines, from as few files as hold them.
size_of_lines() {
    _from=$last _lines=$(head -c "$end" "$base.$last" | wc -l)
    while [ "$_from" -gt "$first" ] && [ "$_lines" -le "$1" ]; do
        _from=$((_from - 1))
        _lines=$((_lines + $(wc -l <"$base.$_from" || echo 0)))
    done
    print_from "$_from" | tail -n "$1" | wc -c
}

# Where to begin, by $amount. An offset below 0 is in the files before.
find_place() {
    set_range
    n=${last:-0} offset=0
    [ -n "$last" ] || return 0
    case $amount in
    from:*)
        n=${amount#from:}
        offset=${n#*:} n=${n%%:*}
        case $n:$offset in *[!0-9:]* | :* | *:) n=$first offset=0 ;; esac
        return
        ;;
    esac
    end=$(size_of "$base.$last")
    skip_old
    if [ "$first" -gt "$last" ]; then
        offset=$end
        return
    fi
    case $amount in
    lines:*) offset=$((end - $(size_of_lines "${amount#lines:}"))) ;;
    bytes:*) offset=$((end - ${amount#bytes:})) ;;
    *) n=$first ;;
    esac
    while [ "$offset" -lt 0 ] && [ "$n" -gt "$first" ]; do
        n=$((n - 1))
        offset=$((offset + $(size_of "$base.$n")))
    done
    [ "$offset" -ge 0 ] || offset=0
}

# What there was of an output before its files are measured: a newer one, or the end of all, says
# that the size found then is the last.
look_ahead() {
    _over='' _newer=''
    { [ -e "$record/released" ] || [ ! -d "$record" ]; } && _over=1
    set_range
    if [ -n "$last" ]; then
        # What is gone by now is passed over; numbers may even have begun anew.
        { [ "$n" -ge "$first" ] && [ "$n" -le "$last" ]; } || n=$first offset=0
        [ "$n" -ge "$last" ] || _newer=1
    fi
    eval "over_$1=$_over newer_$1=$_newer"
}

# advance KEY SIZE: send the next piece, or go to the next file, or see that this was all.
advance() {
    if [ "$2" -gt "$offset" ]; then
        _size=$(($2 - offset))
        [ "$_size" -le "$most" ] || _size=$most
        tail -c "+$((offset + 1))" "$base.$n" | head -c "$_size" >"$spool"
        set_got
        [ "$got" -gt 0 ] || return 0
        emit file "$1" "$n" "$offset"
        offset=$((offset + got)) moved=1
    elif eval "[ -n \"\$newer_$1\" ]"; then
        n=$((n + 1)) offset=0 moved=1
    elif eval "[ -n \"\$over_$1\" ]"; then
        drop_output "$1"
        tell over "$1"
    fi
}

# Follow the outputs of $keys until all are over.
follow_files() {
    open_hidden 5
    for key in $keys; do
        load_output "$key"
        eval "amount=\$amount_$key since=\$since_$key"
        find_place
        keep_output "$key"
    done
    while [ -n "$keys" ]; do
        moved=''
        set --
        for key in $keys; do
            load_output "$key"
            look_ahead "$key"
            keep_output "$key"
            set -- "$@" "$base.$n"
        done
        set_sizes "$@"
        # shellcheck disable=SC2086 # split on purpose
        set -- $sizes
        for key in $keys; do
            load_output "$key"
            advance "$key" "${1:-0}"
            keep_output "$key"
            shift
        done
        [ -n "$moved" ] || nap 200
    done
    return 0
}

# begin_output KEY ALLOC TASK: what has no files of its own is followed at once, else it is noted.
begin_output() {
    record=$data/records/$2
    base=$data/alloc/$2/alloc/logs/$3.$stream
    if [ -f "$record/tasks/$3/container" ]; then
        _id=$(bound id "$record/tasks/$3")
        case $(engine 10 inspect --format '{{.HostConfig.LogConfig.Type}}' "$_id") in
        '' | none) ;;
        *)
            { (follow_container "$1" "$_id") || kill -KILL 0; } &
            return
            ;;
        esac
    elif [ -d "${base%/*}" ]; then
        keys="$keys $1"
        eval "record_$1=\$record base_$1=\$base amount_$1=\$amount since_$1=\$since"
        return
    fi
    tell gone "$1"
}

# Tell of allocations of the job that come to this host, and notice that all this was left alone.
watch() {
    known=''
    for _each in "$data/records"/*/; do known="$known $_each"; done
    while [ -d "/proc/$$" ]; do
        nap 1000
        [ -n "$job" ] || continue
        for _each in "$data/records"/*/; do
            case "$known " in *" $_each "*) continue ;; esac
            known="$known $_each"
            _marks=$(grep -cxF -e "cluster=$cluster" -e "namespace=$namespace" -e "job=$job" \
                "${_each}record")
            [ "$_marks" != 3 ] || { _each=${_each%/}; tell new "${_each##*/}"; }
        done
    done
    kill -KILL 0
}

open_hidden 6
tell ready 0
watch &
keys=''
while IFS=' ' read -r key alloc stream amount since task; do
    if [ -z "$key" ]; then
        [ -z "$keys" ] || { (follow_files) || kill -KILL 0; } &
        keys=''
        continue
    fi
    case $key$since in *[!0-9]*) continue ;; esac
    case $alloc/$task in */*/*) continue ;; esac
    case $stream in stdout | stderr) begin_output "$key" "$alloc" "$task" ;; esac
done
kill -KILL 0
