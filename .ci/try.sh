#!/bin/sh
# Runs a container from the fixture image and shows where it runs: no registry, nothing kept.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "make try: a container needs root here, and there is no sudo" >&2; exit 1; }
    exec sudo "$0"
fi
root=$(mktemp -d /var/tmp/runimg-try.XXXXXX)
trap 'rm -rf "$root"' EXIT
image="oci:$PWD/rootfs-fixtures/out/busybox:latest"
set -x
.build/release/runimg --data-root "$root" run --rm "$image" sh -c '
    . /etc/os-release
    echo "hello from $PRETTY_NAME"
    echo "host name   $(hostname)"
    echo "process     $$, of $(ls -d /proc/[0-9]* | wc -l) that it can see"
    echo "interfaces  $(ls /sys/class/net | tr "\n" " ")"
    echo "root        $(grep " / / " /proc/self/mountinfo | sed "s/.* - \([a-z0-9]*\) .*/\1/")"'
