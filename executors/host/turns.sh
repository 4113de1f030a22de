# What a supervisor needs where tasks wait for one another: whose turn it is, and containers that
# dockerd is not to start by itself.

# Whether every task of a kind has ended: main, or all but those of the hook poststop.
ended_all() {
    for _other in "$record"/tasks/*/; do
        _other=${_other%/}
        [ -f "$_other/policy" ] || continue
        load_policy "$_other"
        case $1:$hook in main:?* | all:poststop) continue ;; esac
        load_state "$_other"
        [ "$state" = dead ] || return 1
    done
}

# Whether what a main task waits for is so: sidecars of prestart run, its other tasks are done.
prestarts_done() {
    for _other in "$record"/tasks/*/; do
        _other=${_other%/}
        [ -f "$_other/policy" ] || continue
        load_policy "$_other"
        [ "$hook" = prestart ] || continue
        load_state "$_other"
        if [ "$sidecar" = 1 ]; then
            [ "$started" != 0 ] || return 1
        else
            [ "$state:$failed" = dead:0 ] && [ "$started" != 0 ] || return 1
        fi
    done
}

# Whether every main task has run.
mains_started() {
    for _other in "$record"/tasks/*/; do
        _other=${_other%/}
        [ -f "$_other/policy" ] || continue
        load_policy "$_other"
        [ -z "$hook" ] || continue
        load_state "$_other"
        [ "$started" != 0 ] || return 1
    done
}

# Wait until all others have ended, at no cost: each supervisor holds the lock `life` of its task.
await_others() {
    until ended_all all; do
        flock "$_other/life" true 7>&- 8>&-
        ended_all all || nap 200
    done
}

# Wait until it is the task's turn to run.
await_turn() {
    case $own_hook in
    poststop) await_others ;;
    poststart) until stopping || mains_started; do nap 100; done ;;
    *) until stopping || prestarts_done; do nap 100; done ;;
    esac
    load_own
    stopping || event "$dir" "Task Setup" "Building Task Directory" \
        "message=Building Task Directory"
}

# Run the task's container and wait for its end; its output is dockerd's.
run_container() {
    rm -f "$dir/driver_error" "$dir/restart"
    until _said=$(engine 60 start "$(bound id "$dir")" 2>&1 >/dev/null); do
        if engine_answers; then
            printf '%s' "$_said" | tr '\t\n' '  ' | head -c 600 >"$dir/driver_error"
            return
        fi
        ! stopping || return
        nap 1000
    done
    load_own
    set_now
    state=running started=$now
    save_state "$dir"
    event_now "$dir" Started "Task started by client"
    await_container
}

# Wait for the end of the container; how it ended comes in $ended_code and $ended_oom.
await_container() {
    _id=$(bound id "$dir") ended_code=255 ended_oom=false
    while :; do
        docker wait "$_id" >/dev/null 2>&1 7>&- 8>&-
        _end=$(engine 10 inspect --type container --format \
            '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$_id" 2>/dev/null)
        case $_end in
        exited*' '* | dead*' '* | created*' '*)
            ended_oom=${_end##* } _end=${_end% *}
            ended_code=${_end##* }
            return
            ;;
        # It is gone, not merely out of sight.
        '') ! engine_answers || return ;;
        esac
        nap 1000
    done
}
