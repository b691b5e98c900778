#!/bin/bash
# Writes Sources/runimg/Link/functions.order: the functions that usual commands enter, as Tests/Bench/order.c sees them
# enter. A container of a fixture image is run for it in namespaces of the script's own.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != enclosed ]; then
    [ "$(id -u)" = 0 ] || { echo "make order: a container needs root here" >&2; exit 1; }
    exec unshare --net --mount --propagation private bash "$0" enclosed
fi
binary=$PWD/.build/release/runimg
image=oci:$PWD/rootfs-fixtures/out/busybox:latest
list=Sources/runimg/Link/functions.order
work=$(mktemp -d /var/tmp/runimg-order.XXXXXX)
trap '"$binary" --data-root "$work/root" rm -f order >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
mkdir -p /run/runimg
mount -t tmpfs runimg-order /run/runimg
ip link set lo up
cc -O2 -Wall -Wextra -o "$work/order" Tests/Bench/order.c

engine() { "$binary" --data-root "$work/root" "$@"; }
# Enters a command's functions into the list with this number.
note() {
    local number=$1
    shift
    timeout 60 "$work/order" ${only:-} "$binary" --data-root "$work/root" "$@" >"$work/$number" 2>"$work/output" ||
        { echo "make order: runimg $* failed:" >&2; cat "$work/output" >&2; exit 1; }
}

engine run --rm "$image" true 2>"$work/output" || { cat "$work/output" >&2; exit 1; }
engine tag "$(engine images -q)" order:latest
printf 'root:x:0:\norder:x:1000:root\n' >"$work/group"
# The monitor's come first: of the executable no more than these are to be in the memory of one that waits.
only=-a note 0 run --rm --network none order true
note 1 run --rm --network none order true
note 2 run --rm order true
note 3 run --rm -v "$work/group:/etc/group" -e A=B -w / -u 0 -m 64m order true
# This one ends with what it left running: the removal below.
note 4 run -d --name order order sleep 1000 &
for ((i = 0; i < 100; i++)); do
    engine exec order true 2>/dev/null && break
    sleep 0.1
done
note 5 exec order true
note 6 ps
note 7 images
note 8 logs order
note 9 rm -f order
wait $!
note 10 --version
{
    echo "# The functions of usual commands in the order of their first use: the linker puts them side by side, so that a"
    echo "# command has fewer pages to fault in. Made by \`make order\`; a name that is gone is passed over."
    (cd "$work" && cat {0..10}) | awk '!seen[$0]++'
} >"$work/list"
cp "$work/list" $list
echo "$(grep -vc '^#' $list) functions in $list"
