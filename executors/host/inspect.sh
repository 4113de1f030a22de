# Print the records of the allocations named after DATA. Reads only.
set_data "$1"
shift
printf 'orch-probe\t%s\n' "$format"
for _id in "$@"; do list_alloc "$data/records/$_id"; done | print_allocs 0
printf 'end\torch-probe\n'
