# Print allocation records, their tasks and whether they live; directories come on stdin.
# `print_allocs 1` is brief about those that were stopped and are dead.
print_allocs() {
    read -r boot </proc/sys/kernel/random/boot_id
    awk -v boot="$boot" -v brief="$1" '
        # Many lines go into one, keys and values in turn: reading them apart is what a look at a
        # thousand hosts costs.
        function whole(tag, file, most,  line, n, out) {
            while (n < most && (getline line < file) > 0) {
                gsub(/\t/, " ", line)
                if (!sub(/=/, "\t", line)) continue
                if (out != "" && length(out) + length(line) > 8000) { print tag out; out = "" }
                out = out "\t" line
                n++
            }
            close(file)
            if (n) print tag out
            return n
        }
        function latest(file, most,  line, n, i, ring) {
            while ((getline line < file) > 0) ring[n++ % most] = line
            close(file)
            for (i = n > most ? n - most : 0; i < n; i++) print "event\t" ring[i % most]
        }
        function exists(file,  line, found) {
            found = (getline line < file) >= 0
            close(file)
            return found
        }
        function lives(file,  line, w, stat, f) {
            if ((getline line < file) <= 0) { close(file); return 0 }
            close(file)
            split(line, w, " ")
            if (w[1] !~ /^[0-9]+$/ || w[3] != boot) return 0
            file = "/proc/" w[1] "/stat"
            if ((getline stat < file) <= 0) { close(file); return 0 }
            close(file)
            sub(/^.*\) /, "", stat)
            split(stat, f, " ")
            return f[1] != "Z" && f[20] == w[2]
        }
        {
            dir = $0
            n = split(dir, part, "/")
            if (match(dir, /\/tasks\/[^\/]+$/)) {
                print "task\t" part[n]
                whole("bound", dir "/container", 40)
                whole("state", dir "/state", 20)
                print "live\t" lives(dir "/sup") "\t" lives(dir "/pid")
                latest(dir "/events", over ? 3 : 10)
                next
            }
            print "alloc\t" part[n]
            if (!whole("record", dir "/record", 300)) print "damaged"
            whole("network", dir "/network/container", 40)
            over = exists(dir "/stop") + exists(dir "/released")
            if (exists(dir "/stop")) print "stop"
            if (exists(dir "/released")) print "released"
            # Of what was stopped and is dead only the end is told.
            over = over == 2 && brief
        }'
}

# list_alloc DIR: it and its tasks, for print_allocs.
list_alloc() {
    [ -d "$1" ] || return 0
    printf '%s\n' "$1"
    for _task in "$1"/tasks/*/; do
        [ -d "$_task" ] && printf '%s\n' "${_task%/}"
    done
}
