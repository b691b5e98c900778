# Process 1 of the virtual machine: hands over to systemd (vm.init=systemd), or mounts what a system has and runs the
# phases. Console: the first serial port; answers to the host: the second.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
. /vm/report.sh

mount -t proc proc /proc
# It mounts what is missing, makes cgroups as its own options say, and runs the phases as a service.
[ "$(option init)" != systemd ] || exec /usr/lib/systemd/systemd
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
for name in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -sf "${name#*:}" "/dev/${name%%:*}"; done
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
# One of the two ways to have cgroups, without the other.
if [ "$(option cgroup)" = v1 ]; then
    mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
    for controllers in cpu,cpuacct cpuset memory devices freezer blkio pids net_cls,net_prio perf_event hugetlb; do
        mkdir "/sys/fs/cgroup/$controllers"
        mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$controllers"
    done
    for pair in cpu:cpu,cpuacct cpuacct:cpu,cpuacct net_cls:net_cls,net_prio net_prio:net_cls,net_prio; do
        ln -s "${pair#*:}" "/sys/fs/cgroup/${pair%%:*}"
    done
else
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
. /vm/phases.sh
