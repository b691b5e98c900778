# Looks at the data disk after the power came back, with no repair but the journal's, and says what it finds; then pulls
# and runs the image.
. /vm/report.sh
root=/var/lib/runimg
name=127.0.0.1:5000/library/layered:latest
mkdir -p $root
mount -t ext4 /dev/vdb $root || { fail "mount the data disk"; exit 0; }

# Each layer that the store knows, by its chain ID, with one digest of all names, kinds, modes, owners, sizes, times,
# link targets, contents and attributes. A whiteout's time is that of its making.
trees() {
    for layer in $root/image/overlay2/layerdb/sha256/*; do
        [ -d "$layer" ] || continue
        sum=$(cd "$root/overlay2/$(cat "$layer/cache-id")/diff" && {
            find . \( -type d -printf '%P %y %m %U %G %T@\n' \) -o \( -type c -printf '%P %y %m %U %G %n\n' \) -o -printf '%P %y %m %U %G %s %n %l %T@\n' | sort
            find . -type f -print0 | sort -z | xargs -0 sha256sum
            getfattr -R -h -d -m - -e hex . 2>/dev/null
        } | sha256sum | cut -c 1-64)
        report "tree $1 ${layer##*/} ${sum:-unreadable}"
    done
}

images=$(runimg images -q --no-trunc 2> /tmp/problems) || report "problem images: exit $?: $(head -1 /tmp/problems)"
[ ! -s /tmp/problems ] || report "problem images: $(head -1 /tmp/problems)"
report "images $(printf '%s' "$images" | grep -c .)"
trees found
if [ -n "$images" ]; then
    # What is listed must run, as it is; its name comes last and may not be there yet.
    if runimg run --rm --pull never $name true 2> /dev/null; then report named; fi
    output=$(runimg run --rm --pull never "$images" sh -c 'cat /srv/5/large | wc -c' 2>&1)
    [ "$output" = 3145728 ] || report "problem run: $output"
fi

. /vm/registry-up.sh
output=$(runimg pull -q $name 2>&1) || report "problem pull: exit $?: $output"
trees pulled
output=$(runimg run --rm --pull never $name sh -c 'cat /srv/5/large | wc -c' 2>&1)
[ "$output" = 3145728 ] || report "problem run after pull: $output"
left=$(ls $root/tmp | grep -vx blobs; ls $root/tmp/blobs)
[ -z "$left" ] || report "problem left in tmp: $left"
directories=$(ls $root/overlay2 | grep -cvx l)
[ "$directories" = "$(ls $root/image/overlay2/layerdb/sha256 | wc -l)" ] ||
    report "problem $directories layer directories for $(ls $root/image/overlay2/layerdb/sha256 | wc -l) layers"
umount $root || report "problem unmount"
