# Start an allocation, once. KEY EPOCH INDEX COMMIT, then ALLOC TOKEN, what it asks (CPU MEMORY
# DISK), what the node has (CPU MEMORY DISK), the ports. Its files come on stdin.
lock_host
check_node
shift 3
check_fence "$1" "$2" "$3" "$4"
id=$5
token=$6
ask_cpu=$7 ask_memory=$8 ask_disk=$9
shift 9
all_cpu=$1 all_memory=$2 all_disk=$3
shift 3

record=$records/$id
[ ! -e "$record/stop" ] || fail tombstone "$id"
if [ -e "$record" ]; then
    _found=$(field token "$record/record")
    [ "$_found" = "$token" ] || fail taken "$id"
    [ -e "$record/released" ] || launch_all "$record"
    succeed again
fi

for _port in "$@"; do
    listening | grep -qx "$_port" && fail port "$_port${tab}a process that listens on it"
done
settle_containers
_verdict=$(
    live_records | awk -v cpu="$ask_cpu" -v memory="$ask_memory" -v disk="$ask_disk" \
        -v all_cpu="$all_cpu" -v all_memory="$all_memory" -v all_disk="$all_disk" -v ports="$*" '
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
)
case $_verdict in
fits) ;;
'') fail damaged "$records" ;;
*) fail "${_verdict%%"$tab"*}" "${_verdict#*"$tab"}" ;;
esac

staged=$records/.new-$id
rm -rf "$staged" "$data/alloc/$id"
mkdir -p "$staged" 2>/dev/null || write_failed "$staged"
unpack "$staged" 2>/dev/null
make_dirs() {
    umask 022
    mkdir -p "$data/alloc/$id/alloc/data" "$data/alloc/$id/alloc/logs" "$data/alloc/$id/alloc/tmp" &&
        chmod 0755 "$data/alloc/$id" &&
        chmod 0777 "$data/alloc/$id/alloc" "$data/alloc/$id/alloc/data" &&
        chmod 1777 "$data/alloc/$id/alloc/tmp"
}
make_task_dirs() {
    mkdir -p "$1/local" "$1/secrets" "$1/tmp" &&
        chmod 0777 "$1" "$1/local" && chmod 1777 "$1/tmp" && chmod 0700 "$1/secrets" || return 1
    # A container's user is known to the container only; on the host nobody gets past the parent.
    [ ! -f "$2/container" ] || { chmod 0777 "$1/secrets" && chmod 0711 "$1"; } || return 1
    [ ! -s "$2/user" ] || {
        read -r _user <"$2/user" && id -u "$_user" >/dev/null && chown "$_user" "$1/secrets"
    } || :
}
{ make_dirs; } 2>/dev/null || { rm -rf "${data:?}/alloc/$id"; write_failed "$data/alloc/$id"; }
for _each in "$staged"/tasks/*/; do
    _each=${_each%/}
    { make_task_dirs "$data/alloc/$id/${_each##*/}" "$_each" &&
        event "$_each" Received "Task received by client" &&
        event "$_each" "Task Setup" "Building Task Directory" "message=Building Task Directory" &&
        { [ -z "$(bound pulled "$_each")" ] ||
            event "$_each" Driver "Downloading image" "image=$(bound pulled "$_each")"; } &&
        { load_state "$_each"; save_state "$_each"; }; } 2>/dev/null ||
        { rm -rf "${data:?}/alloc/$id"; write_failed "$data/alloc/$id"; }
done
set -- "$staged/record" "$staged"
for _each in "$staged"/tasks/*/policy "$staged"/tasks/*/run "$staged"/tasks/*/container; do
    [ ! -f "$_each" ] || set -- "$@" "$_each"
done
sync_files "$@"
mv "$staged" "$record" 2>/dev/null || { rm -rf "${data:?}/alloc/$id"; write_failed "$record"; }
staged=
sync_files "$records"
launch_all "$record"
succeed started
