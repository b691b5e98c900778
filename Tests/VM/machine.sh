# Functions over one virtual machine at a time; sourced. Needs `kernel`, `work` (a directory of this run) and `mode`.
machine=""

# start_machine NAME PHASES DATA [OPTION...]: DATA is the second disk or empty; options go to the kernel's command line. Answers go to $work/NAME.answers, the
# console to $work/NAME.console, the second disk's writes and flushes in their order to $work/NAME.log. The first disk is
# never written: qemu keeps changes in a file that has no name. Flushes do not reach the host's own disk: it is the
# guest whose power fails, not the host.
start_machine() {
    local name=$1 phases=$2 data=$3 disks
    shift 3
    disks=(-drive "file=$work/root.img,if=none,id=root,format=raw,snapshot=on,cache=unsafe"
        -device virtio-blk-pci,drive=root)
    if [ -n "$data" ]; then
        truncate -s 8G "$work/$name.log"
        disks+=(-blockdev "driver=file,node-name=data,filename=$data,cache.no-flush=on"
            -blockdev "driver=file,node-name=log,filename=$work/$name.log,cache.no-flush=on"
            -blockdev driver=blklogwrites,node-name=logged,file=data,log=log,log-super-update-interval=1
            -device virtio-blk-pci,drive=logged,discard=off,write-zeroes=off)
    fi
    : > "$work/$name.answers"
    # No timer check and no watchdogs: on a busy host everything is late, which the guest would take for a fault.
    TMPDIR=$work qemu-system-x86_64 -accel "${ACCEL:-tcg}" -cpu "${CPU:-max}" -smp 2 -m 3072 \
        -kernel "$kernel"/boot/vmlinuz-* -initrd "$work/initrd" \
        -append "console=ttyS0 quiet panic=-1 no_timer_check nowatchdog workqueue.watchdog_thresh=0 vm.phases=$phases vm.cgroup=$mode $*" \
        "${disks[@]}" -nodefaults -no-reboot -display none -monitor none \
        -serial "file:$work/$name.console" -serial "file:$work/$name.answers" < /dev/null &
    machine=$!
}

# wait_machine SECONDS: until it switched itself off. Kills it when it did not.
wait_machine() {
    local deadline=$((SECONDS + $1))
    while kill -0 "$machine" 2>/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill_machine
            return 1
        fi
        sleep 0.2
    done
    wait "$machine" 2>/dev/null || true
    machine=""
}

# As pulling the plug: whatever only the guest's memory holds is gone.
kill_machine() {
    [ -n "$machine" ] || return 0
    kill -KILL "$machine" 2>/dev/null || true
    wait "$machine" 2>/dev/null || true
    machine=""
}

# wait_answer NAME REGEX SECONDS
wait_answer() {
    local deadline=$((SECONDS + $3))
    until grep -qE "$2" "$work/$1.answers"; do
        kill -0 "$machine" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.02
    done
}
