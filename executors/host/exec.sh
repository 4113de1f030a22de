# Run a command beside a task, as the task would: DATA ALLOC TASK, then the command. It has the
# task's directory, variables and user, and ends with the task. Streams and terminal are those that
# this script was given.
set_data "$1"
_record=$data/records/$2
_task=$_record/tasks/$3
_cwd=$data/alloc/$2/$3
if ! [ -d "$_task" ]; then
    printf 'there is no task "%s" of allocation %s on this host\n' "$3" "$2" >&2
    exit 125
fi
if [ -f "$_task/container" ]; then
    _id=$(bound id "$_task")
    if ! container_runs "$_id"; then
        printf 'task "%s" is not running.\n' "$3" >&2
        exit 125
    fi
    shift 3
    # Variables, directory and user are the container's own.
    if [ -t 0 ]; then exec docker exec -it "$_id" "$@"; else exec docker exec -i "$_id" "$@"; fi
fi
if ! alive "$_task/pid" || ! [ -r "$_task/run" ]; then
    printf 'task "%s" is not running.\n' "$3" >&2
    exit 125
fi
_name=$3
shift 3
set_cgroup "$_task"
if [ -n "$cgroup" ] && [ -d "$cgroup" ]; then
    echo $$ 2>/dev/null >"$cgroup/cgroup.procs"
fi
_user=
read -r _user 2>/dev/null <"$_task/user"
if [ -n "$_user" ]; then
    # busybox has one that can't do it, and its shell takes that before any other
    for _setpriv in setpriv /usr/bin/setpriv /bin/setpriv ''; do
        "$_setpriv" --help 2>&1 | grep -q -e --reuid && break
    done
    [ -n "$_setpriv" ] || {
        printf 'running as another user needs setpriv (package util-linux)\n' >&2
        exit 125
    }
    set -- "$_setpriv" --reuid "$(id -u "$_user")" --regid "$(id -g "$_user")" --init-groups -- "$@"
fi
# A shell of its own, so that nothing of this one's environment reaches the command.
# shellcheck disable=SC2016 # expanded over there
exec env -i PATH="$PATH" HOME="${HOME:-/}" ${LANG:+LANG="$LANG"} ${TERM:+TERM="$TERM"} \
    sh -c '. "$1"; cd "$2" || exit 125; shift 2; task_env; exec "$@"' \
    "$_name" "$_task/run" "$_cwd" "$@"
