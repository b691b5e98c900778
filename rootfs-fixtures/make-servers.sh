#!/bin/sh
# Builds images with a real nginx and a real PostgreSQL from Debian's packages, and unpacks Debian's docker and podman to
# compare with, and crun, runc and containerd to run the tests of OCI runtimes with, in out/servers. Nothing is installed. Does nothing when all is there. Where packages can't be had it says so and
# ends well: the tests that want them are skipped, and the next run tries again.
set -eu
cd "$(dirname "$0")"

sh make-fixtures.sh
stamp=$(cat make-servers.sh make_servers.py oci_layout.py | sha256sum | cut -d' ' -f1)
if [ -f out/servers/.complete ] && [ "$(cat out/servers/.complete)" = "$stamp" ]; then
    exit 0
fi
for tool in apt-get dpkg-deb objdump zstd python3; do
    command -v "$tool" >/dev/null || { echo "make-servers.sh: no $tool: no nginx, PostgreSQL, docker, podman and crun" >&2; exit 0; }
done

work=$(mktemp -d "$PWD/out/.making.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/packages" "$work/root" "$work/servers"

# As if nothing was installed, so that each library is named too. As root apt drops to _apt, who may not write here.
apt() { apt-get -q -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"; }
# What the servers need to run; not what sets them up, nor LLVM, which PostgreSQL loads for large queries only.
wanted() {
    apt --print-uris --no-install-recommends -y install nginx postgresql docker.io podman crun |
        sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" |
        grep -xE 'lib.*|zlib1g|tzdata|nginx|nginx-common|postgresql-[0-9]+|postgresql-client-[0-9]+|docker.io|containerd|runc|tini|podman|conmon|crun' |
        grep -vxE 'libllvm.*|libz3.*|libperl.*|lib.*-perl|libc-l10n'
}
fetch() {
    names=$(wanted) && [ -n "$names" ] || return 1
    # shellcheck disable=SC2086
    (cd "$work/packages" && apt download $names)
}
if ! fetch >"$work/log" 2>&1; then
    # The lists of packages may be missing or old.
    if [ "$(id -u)" != 0 ] || ! apt-get -q update >>"$work/log" 2>&1 || ! fetch >>"$work/log" 2>&1; then
        echo "make-servers.sh: Debian's packages can't be had: no nginx, PostgreSQL, docker, podman and crun" >&2
        tail -n 3 "$work/log" >&2
        exit 0
    fi
fi
# Two at once: most of the time goes to unpacking xz.
find "$work/packages" -name '*.deb' -print0 | xargs -0 -n 1 -P 2 sh -c 'dpkg-deb -x "$1" "$0"' "$work/root"
python3 make_servers.py "$work/root" "$(command -v busybox)" "$work/servers"
echo "$stamp" > "$work/servers/.complete"
rm -rf out/servers
mv "$work/servers" out/servers
echo "rootfs-fixtures/out/servers: $(ls out/servers | tr '\n' ' ')"
