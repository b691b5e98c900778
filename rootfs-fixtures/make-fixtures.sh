#!/bin/sh
# Builds the OCI image layouts of out/ from Debian's busybox-static and the probe. Does nothing when they are up to date.
# Needs what `make deps` installs; no root, no network.
set -eu
cd "$(dirname "$0")"

busybox=$(command -v busybox || true)
if [ -z "$busybox" ]; then
    echo "make-fixtures.sh: busybox not found; run 'make deps' (package busybox-static)" >&2
    exit 1
fi
if [ "$("$busybox" sh -c 'echo ok' 2>/dev/null)" != ok ]; then
    echo "make-fixtures.sh: $busybox does not run" >&2
    exit 1
fi

stamp=$(cat make-fixtures.sh make_fixtures.py oci_layout.py probe*.c probe.h "$busybox" | sha256sum | cut -d' ' -f1)
if [ -f out/.complete ] && [ "$(cat out/.complete)" = "$stamp" ]; then
    exit 0
fi

# Made aside and renamed, so that a test never sees half of it.
work=$(mktemp -d ./.making.XXXXXX)
trap 'rm -rf "$work"' EXIT
# The linker warns of what static programs can't do with the name service; the probe asks it nothing.
cc -std=gnu17 -O1 -Wall -Wextra -static -o "$work/probe" probe.c probe-calls.c probe-paths.c probe-acts.c probe-attacks.c
strip "$work/probe"
python3 make_fixtures.py "$busybox" "$work/probe" "$work/out"
echo "$stamp" > "$work/out/.complete"
rm -rf out
mv "$work/out" out
echo "rootfs-fixtures/out: $(ls out | tr '\n' ' ')"
