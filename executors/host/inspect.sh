# Print the records of the allocations named after DATA. Reads only.
set_data "$1"
shift
printf 'orch-probe\t%s\n' "$format"
for _id in "$@"; do list_alloc "$data/records/$_id"; done | print_allocs 0
_ids=$*
set --
for _id in $_ids; do
    for _each in "$data/records/$_id/network" "$data/records/$_id"/tasks/*; do
        [ ! -f "$_each/container" ] || set -- "$@" "$(bound name "$_each")"
    done
done
[ $# = 0 ] || print_named "$@"
printf 'end\torch-probe\n'
