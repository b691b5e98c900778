#!/bin/sh
# Builds an image of about 1.5 GB in 45,000 files, 500 MB compressed, in five layers, out of Debian 12's packages, as an
# OCI layout with the tags gzip and zstd. Nothing is installed. Usage: big_image.sh LAYOUT
set -eu
cd "$(dirname "$0")"
layout=$1

base="busybox-static base-files libc6 perl-modules-5.36 libperl5.36 perl-base git vim-runtime locales tzdata"
compilers="gcc-12 g++-12 cpp-12 libstdc++-12-dev libc6-dev binutils-x86-64-linux-gnu libllvm14 libicu72 libicu-dev"
java="openjdk-17-jre-headless ca-certificates-java libreoffice-core"
sources="golang-1.19-src libboost1.74-dev linux-libc-dev r-base-core"
python="libpython3.11-stdlib libpython3.11-dev python3-numpy python3-scipy texlive-base postgresql-15 fonts-noto-cjk"

work=$(mktemp -d "$(dirname "$layout")/.making.XXXXXX")
trap 'rm -rf "$work"' EXIT

# As if nothing was installed, so that each package is fetched. As root apt drops to _apt, who may not write here.
fetch() {
    # shellcheck disable=SC2086
    (cd "$work/packages" &&
        apt-get -q -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o Acquire::Retries=2 \
            download $base $compilers $java $sources $python)
}
mkdir "$work/packages"
if ! fetch >"$work/log" 2>&1; then
    # The lists of packages may be missing or old.
    if [ "$(id -u)" != 0 ] || ! apt-get -q update >>"$work/log" 2>&1 || ! fetch >>"$work/log" 2>&1; then
        echo "big_image.sh: Debian's packages can't be had:" >&2
        tail -n 3 "$work/log" >&2
        exit 1
    fi
fi

number=0
for packages in "$base" "$compilers" "$java" "$sources" "$python"; do
    number=$((number + 1))
    root="$work/root"
    mkdir "$root"
    for package in $packages; do
        dpkg-deb -x "$work/packages/$package"_*.deb "$root"
    done
    if [ "$number" = 1 ]; then
        # What the containers of it run; usr/bin comes later in PATH.
        for applet in $("$root/bin/busybox" --list); do
            [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
        done
    fi
    tar -C "$root" --sort=name --mtime=@1704067200 --owner=0 --group=0 --numeric-owner -cf "$work/$number.tar" .
    rm -rf "$root"
done
rm -rf "$work/packages"
python3 big_image.py "$work/layout" "$work"/?.tar
rm -rf "$layout"
mv "$work/layout" "$layout"
