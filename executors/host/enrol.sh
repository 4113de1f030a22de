# Give the host the id NODE, unless it has one; the one that stands is the answer.
lock_host
_found=
if [ -e "$data/node/id" ]; then
    read -r _found <"$data/node/id"
    [ -n "$_found" ] || fail damaged "$data/node/id"
else
    mkdir -p "$data/node" 2>/dev/null || write_failed "$data/node"
    echo "$node" | replace "$data/node/id" 2>/dev/null || write_failed "$data/node/id"
    _found=$node
fi
succeed "$_found"
