# Print what a host and some allocations' tasks use at the moment: DATA ALLOC... Two samples, a
# moment apart, from which whoever reads works out the speed. Reads only.
set_data "$1"
shift

# The processes of a task: its container's or control group's, else its process group's and
# session's.
members() {
    if [ -f "$1/container" ]; then
        engine 10 top "$(bound id "$1")" -eo pid 2>/dev/null | awk 'NR > 1 { print $1 }'
        return
    fi
    set_cgroup "$1"
    if [ -n "$cgroup" ] && [ -d "$cgroup" ]; then
        cat "$cgroup/cgroup.procs" 2>/dev/null
    elif alive "$1/pid"; then
        cat /proc/[0-9]*/stat 2>/dev/null | awk -v leader="$pid" '
            { id = $1; sub(/^.*\) /, "") }
            $3 == leader || $4 == leader { print id }'
    fi
}

sample() {
    set_up
    printf 'time\t%s\n' "$up"
    awk '$1 == "cpu" {
        for (i = 2; i <= NF; i++) all += $i
        print "host\t" all - $5 - $6 "\t" all
        exit
    }' /proc/stat
    for _id in "$@"; do
        for _each in "$data/records/$_id/tasks"/*/; do
            _each=${_each%/}
            [ -d "$_each" ] || continue
            printf 'use\t%s\t%s\t' "$_id" "${_each##*/}"
            for _member in $(members "$_each"); do cat "/proc/$_member/stat" 2>/dev/null; done |
                awk '{ sub(/^.*\) /, ""); ticks += $12 + $13; pages += $22 }
                    END { printf "%d\t%d\n", ticks, pages }'
        done
    done
}

printf 'orch-probe\t%s\n' "$format"
printf 'unit\t%s\t%s\n' "$(getconf CLK_TCK 2>/dev/null || echo 100)" \
    "$(getconf PAGESIZE 2>/dev/null || echo 4096)"
sample "$@"
nap 300
sample "$@"
awk '$1 == "MemTotal:" { all = $2 } $1 == "MemAvailable:" { free = $2 }
    END { print "memory\t" all + 0 "\t" all - free }' /proc/meminfo
_dir=$data
while [ -n "$_dir" ] && ! [ -d "$_dir" ]; do _dir=${_dir%/*}; done
df -Pk "${_dir:-/}" 2>/dev/null | awk 'NR == 2 { print "disk\t" $2 "\t" $3 }'
printf 'end\torch-probe\n'
