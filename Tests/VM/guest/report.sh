# What the guest's scripts say to the host: one line each on the second serial port.
answers=/dev/ttyS1
. /vm/settings.sh

report() { printf '%s\n' "$*" > "$answers"; }
# A test's end. The reason is the first line of whatever is given.
pass() { report "pass $1"; }
fail() { report "fail $1: $(printf '%s' "$2" | head -1)"; printf 'FAILED %s\n%s\n' "$1" "$2"; }

# The value of vm.NAME= on the kernel's command line.
option() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^vm\.$1=//p"; }

# The programs under test, as users have them.
runimg() { "$tree/.build/release/runimg" "$@"; }
busybox_image="oci:$tree/rootfs-fixtures/out/busybox:latest"
