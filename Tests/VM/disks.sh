#!/bin/bash
# Builds what the virtual machine starts from, in the directory OUT: an initramfs that mounts the first disk, and that
# disk, an ext4 image with a small Debian made of the host's installed packages, our executables, the test bundle, the
# fixtures, what `make servers` unpacked of OCI runtimes and their callers, systemd and a filled registry. Nothing is mounted
# for it. Usage: disks.sh OUT KERNEL SYSTEMD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
out=$1 kernel=$2 systemd=$3
version=$(ls "$kernel/lib/modules")
root=$out/root

# Everything that the tests run and the guest's own scripts use. Their libraries are found by ldd, so no dependency is
# followed: what these packages only recommend to a real system stays out.
packages="bash dash coreutils findutils grep sed mawk gzip tar diffutils util-linux util-linux-extra mount hostname
    passwd login uidmap procps iproute2 perl-base e2fsprogs attr acl libcap2-bin strace zstd openssl curl apache2-utils busybox-static
    docker-registry skopeo umoci libc-bin libc6 base-files base-passwd netbase
    gcc gcc-12 cpp-12 libgcc-12-dev libc6-dev linux-libc-dev binutils binutils-common binutils-x86-64-linux-gnu"

list_files() {
    local package
    for package in $packages; do
        dpkg-query -L "$package" 2>/dev/null || echo "test-vm: package $package is not installed here" >&2
    done | grep -vE '^/(\.|usr/share/(doc|man|locale|info|bash-completion|lintian|zsh)(/.*)?)$|/(cc1plus|lto1|lto-wrapper|lto-dump-12)$'
    # awk, cc and their like, which no package lists.
    find /usr/bin /usr/sbin /etc/alternatives -type l \( -lname '/etc/alternatives/*' -o -path '/etc/alternatives/*' \)
    # podman's seccomp profile is one of those that the profile reader is tried on.
    find /usr/share/containers/seccomp.json 2>/dev/null || true
}

# The libraries of all programs among the files named on standard input, by both the name and what it links to.
list_libraries() {
    grep -E '^(/usr)?/(s?bin|lib/gcc|lib/e2fsprogs)/|\.xctest$|/runimg-image$|/out/servers/[^/]+/(bin|libexec)/' |
    while read -r file; do
        # What `make servers` unpacked has some of its libraries beside it.
        [ ! -f "$file" ] || [ -L "$file" ] || LD_LIBRARY_PATH=${file%/*}/../lib ldd "$file" 2>/dev/null || true
    done | awk '/=> \// { print $3 } /^\t\// { print $1 }' | sort -u | while read -r library; do
        echo "$library"
        readlink -f "$library"
    done
}

make_root() {
    mkdir -p "$root"/{dev,proc,sys,run,tmp,root,data,vm,etc,usr}
    local name
    for name in bin sbin lib lib64; do
        mkdir -p "$root/usr/$name"
        [ ! -L "/$name" ] || cp -a "/$name" "$root/$name"
    done
    {
        list_files
        printf '%s\n' "$tree/.build/release/runimg" "$tree/.build/release/runimg-image" \
            "$tree/.build/release/runimg-oci"
        find "$tree/rootfs-fixtures" -not -path '*/.making*' -not -path '*/out/servers*'
        # Who calls OCI runtimes, and the other runtimes.
        find "$tree"/rootfs-fixtures/out/servers/{crun,docker,podman} 2>/dev/null || true
        [ ! -d "$tree/../shared/images" ] || find "$(cd "$tree/../shared/images" && pwd)"
    } > "$out/files"
    { cat "$out/files"; echo "$tree/.build/debug/runimgPackageTests.xctest"; } | list_libraries >> "$out/files"
    # A package may list what the host's owner removed.
    # A library that was found beside its program is in the list already, by its proper name.
    grep -v '/\.\./' "$out/files" | sort -u |
        while read -r file; do [ ! -e "$file" ] && [ ! -L "$file" ] || echo "$file"; done |
        tar -C / -cf - --no-recursion --files-from=- 2>/dev/null |
        tar -C "$root" -xf - --keep-directory-symlink
    # With a tenth of its size the bundle is read in a tenth of the time.
    strip -o "$root/vm/tests" "$tree/.build/debug/runimgPackageTests.xctest"
    mkdir -p "$root/lib/modules/$version" "$root/var/tmp"
    cp -a "$kernel/lib/modules/$version"/modules.* "$root/lib/modules/$version/"
    # The second line is what containers' networks take: bridges, links and nf_tables.
    for name in fs/overlayfs drivers/block drivers/virtio fs/fuse \
        drivers/net net/802 net/llc net/bridge net/bridge/netfilter net/netfilter net/{ipv4,ipv6}/netfilter lib crypto; do
        mkdir -p "$root/lib/modules/$version/kernel/$name"
        cp -a "$kernel/lib/modules/$version/kernel/$name"/*.ko "$root/lib/modules/$version/kernel/$name/"
    done
    cp "$here"/guest/*.sh "$root/vm/"
    chmod 1777 "$root/tmp" "$root/var/tmp"
    echo "root:x:0:0:root:/root:/bin/sh" > "$root/etc/passwd"
    printf 'daemon:x:1:1:daemon:/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n' >> "$root/etc/passwd"
    printf 'root:x:0:\ntty:x:5:\nstaff:x:50:\nnogroup:x:65534:\n' > "$root/etc/group"
    # usermod adds to them only what is there.
    : > "$root/etc/subuid"
    : > "$root/etc/subgid"
    echo vm > "$root/etc/hostname"
    printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
    : > "$root/etc/resolv.conf"
    printf 'tree=%q\nversion=%q\n' "$tree" "$version" > "$root/vm/settings.sh"
}

# systemd and its bus, with one unit of ours: what the machine is for. What looks after hardware that is not there, and
# after time and users, stays out of the way.
add_systemd() {
    tar -C "$systemd" -cf - . | tar -C "$root" -xf - --keep-directory-symlink
    local units=$root/etc/systemd/system unit
    mkdir -p "$units" "$root/var/log" "$root/var/lib/systemd" "$root/var/lib/dbus"
    for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service \
        systemd-hwdb-update.service systemd-logind.service systemd-update-utmp.service systemd-random-seed.service \
        systemd-journal-flush.service systemd-firstboot.service systemd-binfmt.service systemd-pstore.service \
        systemd-network-generator.service proc-sys-fs-binfmt_misc.automount getty.target serial-getty@ttyS0.service \
        systemd-modules-load.service modprobe@.service; do
        ln -sf /dev/null "$units/$unit"
    done
    printf '[Unit]\nRequires=basic.target dbus.socket\nWants=vm.service\nAfter=basic.target\nAllowIsolate=yes\n' > "$units/vm.target"
    printf '[Unit]\nAfter=basic.target dbus.socket\n[Service]\nType=simple\nExecStart=/bin/sh /vm/phases.sh\n%s\n' \
        "$(printf 'StandardOutput=tty\nStandardError=tty\nTTYPath=/dev/console\nTasksMax=infinity')" > "$units/vm.service"
    ln -sf vm.target "$units/default.target"
    echo "messagebus:x:100:100:messagebus:/nonexistent:/usr/sbin/nologin" >> "$root/etc/passwd"
    echo "messagebus:x:100:" >> "$root/etc/group"
    echo 00000000000000000000000000000001 > "$root/etc/machine-id"
}

# The image whose pull is interrupted, in the storage of a registry that the guest only has to start.
fill_registry() {
    python3 "$here/make_image.py" "$tree/rootfs-fixtures" "$out/image"
    mkdir -p "$root/vm/registry"
    local port pid=""
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    sed "s|@STORAGE@|$root/vm/registry|; s|@PORT@|$port|" "$here/registry.yml" > "$out/registry.yml"
    docker-registry serve "$out/registry.yml" > "$out/registry.log" 2>&1 &
    pid=$!
    local status=1
    for _ in $(seq 50); do
        sleep 0.2
        if skopeo --insecure-policy copy --quiet --preserve-digests --dest-tls-verify=false \
            "oci:$out/image:latest" "docker://127.0.0.1:$port/library/layered:latest" 2> "$out/skopeo.log"; then
            status=0
            break
        fi
    done
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    [ "$status" = 0 ] || { cat "$out/skopeo.log" "$out/registry.log" >&2; return 1; }
    sed "s|@STORAGE@|/vm/registry|; s|@PORT@|5000|" "$here/registry.yml" > "$root/vm/registry.yml"
}

make_initramfs() {
    local tree=$out/initramfs module
    mkdir -p "$tree"/{bin,dev,proc,root}
    cp "$(command -v busybox)" "$tree/bin/busybox"
    cp "$here/guest/initramfs" "$tree/init"
    chmod 755 "$tree/init"
    # virtio_pci finds the disks, virtio_blk reads them; in the order in which they need each other.
    for module in virtio/virtio_ring virtio/virtio virtio/virtio_pci_legacy_dev virtio/virtio_pci_modern_dev \
        virtio/virtio_pci block/virtio_blk; do
        cp "$kernel/lib/modules/$version/kernel/drivers/$module.ko" "$tree/"
        echo "${module##*/}" >> "$tree/modules"
    done
    (cd "$tree" && find . | cpio --quiet -o -H newc) > "$out/initrd"
}

make_root
add_systemd
fill_registry
make_initramfs
truncate -s 6G "$out/root.img"
mke2fs -q -F -t ext4 -m 0 -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$out/root.img"
rm -rf "$root" "$out/initramfs" "$out/image"
