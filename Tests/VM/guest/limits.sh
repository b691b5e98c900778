# The release executables under real limits, as a user meets them: what the kernel's files say inside the container, what
# it does to a program that wants more, what is kept in the record, and that nothing is left.
. /vm/report.sh
groups=$(find /sys/fs/cgroup -type d | sort)
mounts=$(cut -d ' ' -f 5 /proc/self/mountinfo)
v1=
[ "$(option cgroup)" != v1 ] || v1=yes
root=/var/lib/runimg

runimg pull -q "$busybox_image" > /dev/null || fail "limits: pull" "exit $?"
image=$(runimg images -q --no-trunc | head -1)

# expect NAME WANTED GOT
expect() { if [ "$2" = "$3" ]; then pass "limits: $1"; else fail "limits: $1" "'$3' is not '$2'"; fi; }

# file NAME WANTED V1 V2 FLAGS...: a file of the container's own cgroup, seen from inside.
file() {
    name=$1 wanted=$2 path=${v1:+$3}
    path=${path:-$4}
    shift 4
    expect "$name in $path" "$wanted" "$(runimg run --rm "$@" "$image" cat "/sys/fs/cgroup/$path" 2>&1)"
}

file --memory 67108864 memory/memory.limit_in_bytes memory.max --memory 64m
file --memory-reservation 33554432 memory/memory.soft_limit_in_bytes memory.low --memory 64m --memory-reservation 32m
if [ -n "$v1" ]; then
    file --memory-swap 100663296 memory/memory.memsw.limit_in_bytes - --memory 64m --memory-swap 96m
    file --cpus 150000 cpu/cpu.cfs_quota_us - --cpus 1.5
    file --cpu-shares 512 cpu/cpu.shares - --cpu-shares 512
else
    file --memory-swap 33554432 - memory.swap.max --memory 64m --memory-swap 96m
    file --cpus "150000 100000" - cpu.max --cpus 1.5
    file --cpu-shares 59 - cpu.weight --cpu-shares 512
fi
file --pids-limit 20 pids/pids.max pids.max --pids-limit 20
file "pids by default" 4096 pids/pids.max pids.max
file --cpuset-cpus 1 cpuset/cpuset.cpus cpuset.cpus --cpuset-cpus 1

output=$(runimg run --rm --memory 64m --memory-swap 64m "$image" /probe eat 100 2>&1)
expect "exit code of a program killed for its memory" 137 $?
case $output in
*[Mm]emory*) pass "limits: the message says memory" ;;
*) fail "limits: the message says memory" "$output" ;;
esac
output=$(runimg run --rm --memory 64m "$image" /probe eat 20 2>&1)
expect "a program that keeps to its memory" "0 eaten=20" "$? $output"
runimg run --name eater --memory 64m --memory-swap 64m "$image" /probe eat 100 > /dev/null 2>&1
expect "exit code with a record" 137 $?
record=$(grep -l '"eater"' "$root"/containers/*/config.json | head -1)
expect "OOMKilled in the record" 1 "$(grep -c '"oomKilled":true' "$record")"
expect "ExitCode in the record" 1 "$(grep -c '"exitCode":137' "$record")"

output=$(runimg run --rm --pids-limit 20 "$image" /probe forkbomb 100 2>&1)
case $output in
*EAGAIN) pass "limits: a fork bomb stops" ;;
*) fail "limits: a fork bomb stops" "$output" ;;
esac
# How much time a program got depends on what else the host does; how often it was stopped does not.
stat=/sys/fs/cgroup/${v1:+cpu/}cpu.stat
output=$(runimg run --rm --cpus 0.25 "$image" sh -c "/probe spin 2; grep nr_throttled $stat" 2>&1)
if [ "${output##* }" -gt 0 ] 2>/dev/null; then
    pass "limits: a quarter of a processor"
else
    fail "limits: a quarter of a processor" "$output"
fi

# A node that someone mounts in is still refused: by the devices controller on v1, by a program of ours on v2.
mkdir -p /data/nodes
mknod /data/nodes/kmsg c 1 11
mknod /data/nodes/disk b 254 0
for node in kmsg disk; do
    output=$(runimg run --rm -v /data/nodes:/nodes "$image" head -c 1 "/nodes/$node" 2>&1)
    case $output in
    *"Operation not permitted"*) pass "devices: /dev/$node in a volume" ;;
    *) fail "devices: /dev/$node in a volume" "$output" ;;
    esac
done
output=$(runimg run --rm --device /dev/vda:/dev/disk:r "$image" sh -c 'head -c 1 /dev/disk | wc -c; echo x > /dev/disk' 2>&1)
case $output in
1*"not permitted"*) pass "devices: --device for reading" ;;
*) fail "devices: --device for reading" "$output" ;;
esac
output=$(runimg run --rm "$image" sh -c 'for d in null zero full random urandom; do head -c 0 /dev/$d || exit 1; done; echo x > /dev/null' 2>&1)
expect "the devices that every program may use" "0 " "$? $output"

expect "no cgroup is left" "$groups" "$(find /sys/fs/cgroup -type d -not -path '*/runimg' | sort)"
expect "no mount is left" "$mounts" "$(cut -d ' ' -f 5 /proc/self/mountinfo)"
