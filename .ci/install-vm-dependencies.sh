#!/bin/sh
# Installs what `make test-vm` needs beyond `make deps`, and puts Debian's kernel for virtual machines, unpacked but not
# installed, into the directory KERNEL, and systemd with its bus into SYSTEMD. Asks nothing of the network when all is there.
# Usage: install-vm-dependencies.sh KERNEL SYSTEMD
set -eu
kernel=$1
systemd=$2

if [ "$(dpkg --print-architecture)" != amd64 ]; then
    echo "make test-vm: the virtual machine is an amd64 one; this is $(dpkg --print-architecture)" >&2
    exit 1
fi

updated=""
update() {
    [ -n "$updated" ] || apt-get -q update
    updated=yes
}

missing=""
for package in qemu-system-x86 cpio e2fsprogs busybox-static; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    update
    # shellcheck disable=SC2086
    apt-get -q install -y --no-install-recommends $missing
fi

# As root apt drops to _apt, who may not write here. As if nothing was installed, each library that is needed is named.
if [ ! -e "$systemd/.complete" ]; then
    update
    rm -rf "$systemd"
    mkdir -p "$systemd/download"
    packages=$(apt-get -q -o Dir::State::status=/dev/null -o APT::Sandbox::User=root --print-uris --no-install-recommends \
        -y install systemd dbus | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" |
        grep -xE 'systemd|dbus|dbus-(bin|daemon|system-bus-common)|lib.*' | grep -vxE 'libc6|libgcc-.*|lib.*-perl|libc-bin')
    echo "fetching systemd and its bus"
    # shellcheck disable=SC2086
    (cd "$systemd/download" && apt-get -q -o Dir::State::status=/dev/null -o APT::Sandbox::User=root download $packages)
    for package in "$systemd"/download/*.deb; do dpkg-deb -x "$package" "$systemd"; done
    rm -r "$systemd/download"
    touch "$systemd/.complete"
fi

[ ! -e "$kernel/.complete" ] || exit 0
update
# The newest of the distribution: linux-image-cloud-amd64 only depends on it.
package=$(apt-cache depends linux-image-cloud-amd64 | awk '/^  Depends: linux-image-[0-9]/ { print $2; exit }')
[ -n "$package" ] || { echo "make test-vm: no linux-image-cloud-amd64 in the package lists" >&2; exit 1; }
echo "fetching $package"
rm -rf "$kernel"
mkdir -p "$kernel/download"
(cd "$kernel/download" && apt-get -q -o APT::Sandbox::User=root download "$package")
dpkg-deb -x "$kernel"/download/*.deb "$kernel"
rm -r "$kernel/download"
busybox depmod -b "$kernel" "$(ls "$kernel/lib/modules")"
touch "$kernel/.complete"
