# Start allocations, each once. For each of them: KEY EPOCH INDEX COMMIT ALLOC TOKEN, what it asks
# (CPU MEMORY DISK), what the node has (CPU MEMORY DISK), how many ports, the ports. Their files
# come on stdin, below their ids. A line for each says how it went: one that is refused keeps
# nobody else from being started.
lock_host
check_node
shift 3
staging=$records/.new-start
# Whoever asked may be gone: what is written to them then ends this, and nothing may be left.
trap 'rm -rf "$staging"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# Whether the fence lets anything in; where it does not, the step leaves no trace.
any_in_time() {
    while [ $# -ge 13 ]; do
        (check_fence "$1" "$2" "$3" "$4") >/dev/null && return 0
        shift $((13 + ${13}))
    done
    return 1
}

# admit, or refuse, one allocation: its directories are made, and its files wait in $staging.
admit() {
    check_fence "$1" "$2" "$3" "$4"
    id=$5
    token=$6
    record=$records/$id
    [ ! -e "$record/stop" ] || fail tombstone "$id"
    if [ -e "$record" ]; then
        _found=$(field token "$record/record")
        [ "$_found" = "$token" ] || fail taken "$id"
        succeed again
    fi
    staged=$staging/$id
    shift 6
    check_room "$@"
    make_alloc
    succeed started
}

# check_room CPU MEMORY DISK, of the node's CPU MEMORY DISK, COUNT PORT...
check_room() {
    ask_cpu=$1 ask_memory=$2 ask_disk=$3 all_cpu=$4 all_memory=$5 all_disk=$6
    _count=$7
    shift 7
    # Behind the ports follow other allocations.
    _ports=
    while [ "$_count" -gt 0 ]; do
        printf '%s\n' "$listening" | grep -qx "$1" &&
            fail port "$1${tab}a process that listens on it"
        _ports="$_ports $1"
        _count=$((_count - 1))
        shift
    done
    _verdict=$(taken_records | room_for "$_ports")
    case $_verdict in
    fits) ;;
    '') fail damaged "$records" ;;
    *) fail "${_verdict%%"$tab"*}" "${_verdict#*"$tab"}" ;;
    esac
}

# The records that count: of what is here, and of what has been admitted a moment ago.
taken_records() {
    live_records
    for _id in $admitted; do printf '%s\n' "$staging/$_id/record"; done
}

room_for() {
    awk -v cpu="$ask_cpu" -v memory="$ask_memory" -v disk="$ask_disk" \
        -v all_cpu="$all_cpu" -v all_memory="$all_memory" -v all_disk="$all_disk" -v ports="$1" '
        BEGIN { n = split(ports, p, " "); for (i = 1; i <= n; i++) wanted[p[i]] = 1 }
        {
            file = $0; whole = 0; name = ""
            while ((getline line < file) > 0) {
                at = index(line, "="); key = substr(line, 1, at - 1); value = substr(line, at + 1)
                if (key == "cpu") { used_cpu += value; whole++ }
                else if (key == "memory") { used_memory += value; whole++ }
                else if (key == "disk") { used_disk += value; whole++ }
                else if (key == "name") name = value
                else if (key ~ /^port\./ && value in wanted && !bad)
                    bad = "port\t" value "\tallocation " name
            }
            close(file)
            if (whole != 3) { broken = "damaged\t" file }
        }
        END {
            if (broken != "") print broken
            else if (bad != "") print bad
            else if (used_cpu + cpu > all_cpu) print "room\tcpu\t" used_cpu + 0 "\t" cpu "\t" all_cpu
            else if (used_memory + memory > all_memory)
                print "room\tmemory\t" used_memory + 0 "\t" memory "\t" all_memory
            else if (used_disk + disk > all_disk)
                print "room\tdisk\t" used_disk + 0 "\t" disk "\t" all_disk
            else print "fits"
        }'
}

make_alloc() {
    [ ! -e "$data/alloc/$id" ] || rm -rf "${data:?}/alloc/$id"
    umask 022
    { make_dirs "$data/alloc/$id"; } 2>/dev/null || unmake "$data/alloc/$id"
    umask 077
    for _each in "$staged"/tasks/*/; do
        _each=${_each%/}
        { make_task "$_each"; } 2>/dev/null || unmake "$data/alloc/$id"
    done
}

unmake() {
    rm -rf "${data:?}/alloc/$id"
    write_failed "$1"
}

make_dirs() {
    mkdir "$1" && mkdir -m 0777 "$1/alloc" "$1/alloc/data" && mkdir "$1/alloc/logs" &&
        mkdir -m 1777 "$1/alloc/tmp"
}

make_task() {
    make_task_dirs "$data/alloc/$id/${1##*/}" "$1" || return 1
    set_now
    event_now "$1" Received "Task received by client" && tell_setup "$1" &&
        tell_pull "$1" && load_state "$1" && write_state "$1/state"
}

make_task_dirs() {
    if [ -f "$2/container" ]; then
        # Its user is known to the container only; on the host nobody gets past the parent.
        mkdir -m 0711 "$1" && mkdir -m 0777 "$1/local" "$1/secrets" && mkdir -m 1777 "$1/tmp"
        return
    fi
    mkdir -m 0777 "$1" "$1/local" && mkdir -m 1777 "$1/tmp" && mkdir -m 0700 "$1/secrets" ||
        return 1
    [ ! -s "$2/user" ] || {
        read -r _user <"$2/user" && id -u "$_user" >/dev/null && chown "$_user" "$1/secrets"
    } || :
}

# A task that waits for others is set up when its turn comes.
tell_setup() {
    load_policy "$1"
    [ "$waits" = 1 ] ||
        event_now "$1" "Task Setup" "Building Task Directory" "message=Building Task Directory"
}

tell_pull() {
    [ -f "$1/container" ] || return 0
    load_bound "$1"
    [ -z "$bound_pulled" ] || event_now "$1" Driver "Downloading image" "image=$bound_pulled"
}

# Everything that was admitted becomes a record, in one sync before and one after.
keep_admitted() {
    set --
    for _id in $admitted; do
        set -- "$@" "$staging/$_id/record" "$staging/$_id"
        for _file in "$staging/$_id"/tasks/*/policy "$staging/$_id"/tasks/*/run \
            "$staging/$_id"/tasks/*/container; do
            [ ! -f "$_file" ] || set -- "$@" "$_file"
        done
    done
    [ $# -gt 0 ] || return 0
    sync_files "$@"
    set --
    for _id in $admitted; do set -- "$@" "$staging/$_id"; done
    mv "$@" "$records" 2>/dev/null
    sync_files "$records"
}

# launch_one ALLOC WORD: what is new has been started with the others, or docker has refused it.
launch_one() {
    id=$1
    record=$records/$id
    if ! [ -d "$record" ]; then
        staged=$staging/$id
        unmake "$record"
    fi
    [ -e "$record/released" ] || launch_all "$record" "$2"
    succeed "$2"
}

# say ALLOC WORDS: an allocation's line, of the last one that was printed for it.
say() {
    printf 'orch-start\t%s\t%s\n' "$1" "${2##*"$newline"}"
}

newline='
'
rm -rf "$staging"
if any_in_time "$@"; then
    mkdir -p "$staging" 2>/dev/null || write_failed "$staging"
    staged=$staging
    unpack "$staging" 2>/dev/null
    settle_containers
else
    cat >/dev/null
fi
admitted='' known='' listening=''
while [ $# -ge 13 ]; do
    [ "${13}" = 0 ] || : "${listening:=$(listening)}"
    _said=$(admit "$@")
    case $_said in
    *"orch-ok${tab}started") admitted="$admitted $5" ;;
    *"orch-ok${tab}again") known="$known $5" ;;
    *) say "$5" "$_said" ;;
    esac
    shift $((13 + ${13}))
done
keep_admitted
# shellcheck disable=SC2086 # split on purpose
start_together $admitted
for _id in $admitted; do say "$_id" "$(launch_one "$_id" started)"; done
for _id in $known; do say "$_id" "$(launch_one "$_id" again)"; done
rm -rf "$staging"
succeed done
