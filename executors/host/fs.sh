# Show what is in an allocation's directory: DATA ALLOC WHAT AMOUNT PATH. Reads only.
#
# WHAT is `show` (a directory's entries, or a file's bytes), `follow` (a file, as it grows, until stdin
# ends), `stat`, or `describe` (a directory's entries, or what a file is). AMOUNT is `all`, `lines:N` or `bytes:N` of a file's end. The first line says what
# follows: "orch-fs dir", "orch-fs stat" or "orch-fs file", or why there is nothing: "orch-fs error
# WORD". An entry is "MODE SIZE MTIME NAME" with a NUL behind, the mode in hexadecimal; after that of
# a file that is looked at come its first bytes.
#
# A task may put symbolic links anywhere, and change them at any time. So what is shown is what was
# opened, after that was seen to lie below the allocation's directory.
exec 2>/dev/null
set_data "$1"
what=$3 amount=$4 target=./$5
most=5000

say() {
    printf 'orch-fs\t%s\n' "$1"
}

refuse() {
    printf 'orch-fs\terror\t%s\n' "$1"
    exit 0
}

inside() {
    case $1 in
    "$top" | "$top"/*) ;;
    *) refuse outside ;;
    esac
}

# entries NAME...: of what is still there. One process looks at all of them, unless one went away.
entries() {
    _lines=$(stat -c '%f %s %Y' -- "$@")
    if [ "$(printf '%s\n' "$_lines" | wc -l)" -eq $# ]; then
        for _name in "$@"; do
            printf '%s %s\0' "${_lines%%"$newline"*}" "${_name#./}"
            _lines=${_lines#*"$newline"}
        done
        return
    fi
    for _name in "$@"; do
        _lines=$(stat -c '%f %s %Y' -- "$_name") && printf '%s %s\0' "$_lines" "${_name#./}"
    done
}

list() {
    say dir
    set --
    for _name in ./* ./.[!.]* ./..?*; do
        [ -e "$_name" ] || [ -L "$_name" ] || continue
        set -- "$@" "$_name"
        [ $# -lt "$most" ] || break
    done
    [ $# = 0 ] || entries "$@"
}

# Secrets are for the task; whoever is to see one can run a command beside it.
guard_secrets() {
    _task=${1#"$top"/}
    case $_task in
    alloc/*) ;;
    */secrets/* | */private/*)
        case ${_task#*/} in
        secrets/* | private/*) refuse secret ;;
        esac
        ;;
    esac
}

newline='
'
cd -P -- "$data/alloc/$2" || refuse gone
top=$(pwd -P)
[ -e "$target" ] || [ -L "$target" ] || refuse missing
if [ -d "$target" ]; then
    cd -P -- "$target" || refuse unreadable
    inside "$(pwd -P)"
    if [ "$what" = stat ]; then
        say stat
        entries .
    else
        list
    fi
    exit 0
fi
[ -e "$target" ] || refuse dangling
[ -f "$target" ] || refuse special
{ true <"$target"; } || refuse unreadable
exec 3<"$target"
real=$(readlink /proc/self/fd/3)
inside "$real"
[ -f /proc/self/fd/3 ] || refuse special
guard_secrets "$real"
if [ "$what" = stat ] || [ "$what" = describe ]; then
    say stat
    printf '%s %s\0' "$(stat -L -c '%f %s %Y' /proc/self/fd/3)" "${target##*/}"
    exec head -c 512 <&3
fi
say file
case $amount in
lines:*) set -- -n "${amount#lines:}" ;;
bytes:*) set -- -c "${amount#bytes:}" ;;
*) set -- -c +1 ;;
esac
if [ "$what" = follow ]; then
    tail -f "$@" <&3 &
    cat >/dev/null
    kill $!
elif [ "$amount" = all ]; then
    exec cat <&3
else
    exec tail "$@" <&3
fi
