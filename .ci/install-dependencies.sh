#!/bin/sh
# Installs what building and testing need from Debian 12; asks nothing of the network when all is there.
set -eu

libraries="libcurl4-openssl-dev libcap-dev libseccomp-dev libisal-dev libzstd-dev liblzma-dev libssl-dev zlib1g-dev"
build="gcc libc6-dev libstdc++-12-dev binutils make pkg-config"
fixtures="busybox-static python3 zstd xz-utils"
tests="docker-registry skopeo umoci apache2-utils openssl curl strace attr acl libcap2-bin e2fsprogs util-linux
    iproute2 nftables iptables procps gzip tar ca-certificates mandoc groff-base zsh fish runc fuse-overlayfs uidmap passwd
    proot xfsprogs passt slirp4netns containernetworking-plugins bubblewrap
    valgrind"

wanted="$libraries $build $fixtures $tests"
# shellcheck disable=SC2086
present=$(dpkg-query -W -f='${Package}:${db:Status-Status}\n' $wanted 2>/dev/null || true)
missing=""
for package in $wanted; do
    case "
$present
" in
    *"
$package:installed
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null; then
    sudo="sudo"
else
    echo "make deps: missing packages:$missing" >&2
    echo "make deps: not root and no sudo here; install them as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -q update
# shellcheck disable=SC2086
$sudo apt-get -q install -y --no-install-recommends $missing
