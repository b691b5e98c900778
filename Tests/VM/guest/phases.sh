# Runs the phases that the kernel's command line names (vm.phases=one,two), and switches the machine off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
. /vm/report.sh
stty -F "$answers" raw -echo
# The kernel loads by itself what it is asked for: nf_tables, bridges.
echo /vm/modprobe.sh > /proc/sys/kernel/modprobe
for module in overlay loop; do busybox modprobe "$module" || fail "modprobe $module" "exit $?"; done
ip link set lo up
hostname vm
cd /root

for phase in $(option phases | tr , ' '); do
    sh "/vm/$phase.sh" || fail "$phase.sh" "exit $?"
done
# A kernel that warned has found something wrong with what we asked of it.
if dmesg | grep -E 'BUG|WARNING:|Oops|general protection|EXT4-fs error|hung task'; then
    fail "the kernel's log" "$(dmesg | grep -m 1 -E 'BUG|WARNING:|Oops|general protection|EXT4-fs error|hung task')"
fi
report done
sync
echo o > /proc/sysrq-trigger
sleep 60
