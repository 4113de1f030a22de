# Print the records of the allocations named after DATA. Reads only.
set_data "$1"
shift
printf 'orch-probe\t%s\n' "$format"
for _id in "$@"; do list_alloc "$data/records/$_id"; done | print_allocs 0
_any=
for _id in "$@"; do ! has_containers "$data/records/$_id" || _any=1; done
if [ -n "$_any" ]; then
    _count=$#
    for _id in "$@"; do set -- "$@" "name=$_id"; done
    shift "$_count"
    print_containers "$@"
fi
printf 'end\torch-probe\n'
