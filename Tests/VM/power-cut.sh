# Cuts the power of a machine that pulls or removes an image, boots it again on the same disk and looks at what is there;
# sourced by run.sh.
#
# What a cut loses. qemu is killed at once, so all that the guest had only in its memory is gone: file contents and
# directory entries that no fsync, syncfs or write-back has sent to the disk. What the guest wrote to the disk is in the
# host's page cache, which a dead qemu does not take along. A real disk may lose more: what it had in a cache of its own
# and was never told to flush. So the disk's writes are recorded with the flushes between them, and in every other round
# the next boot gets a disk with all that was written before the last flush and a random half of what came after it.

image_bytes=1G
pristine=$work/pristine.img
truncate -s "$image_bytes" "$pristine"
mke2fs -q -F -t ext4 "$pristine"

# The layers of a line of answers `tree WHEN CHAIN SUM`, sorted.
trees() { sed -n "s/^tree $2 //p" "$work/$1.answers" | sort; }

# A moment from now, at most MILLISECONDS later.
random_seconds() { printf '%d.%03d' $(($1 * SRANDOM / 4294967296 / 1000)) $(($1 * SRANDOM / 4294967296 % 1000)); }

# check_disk NAME DISK: boots on the disk; the answers are in NAME.answers.
check_disk() {
    start_machine "$1" check "$2"
    wait_machine 1800 && grep -qx done "$work/$1.answers"
}

# judge NAME MUST WHAT: the answers of a check against the peaceful pull. MUST is `present` when the pull had ended with
# 0, `absent` when the removal had, `any` else.
judge() {
    local name=$1 must=$2 what=$3 problem found
    problem=$(grep -hE '^(problem|fail) ' "$work/$name.answers" | head -1 || true)
    found=$(sed -n 's/^images //p' "$work/$name.answers")
    if [ -z "$problem" ] && [ "$must" = present ] && ! grep -qx named "$work/$name.answers"; then
        problem="the image is not there though the pull had ended with 0"
    elif [ -z "$problem" ] && [ "$found" != 0 ] && [ "$must" = absent ]; then
        problem="the image is there though its removal had ended with 0"
    elif [ -z "$problem" ] && [ -n "$(comm -13 "$work/whole" <(trees "$name" found))" ]; then
        problem="a layer differs from a peaceful pull's"
    elif [ -z "$problem" ] && [ "$found" != 0 ] && ! trees "$name" found | cmp -s "$work/whole" -; then
        problem="the image is listed without all of its layers"
    elif [ -z "$problem" ] && ! trees "$name" pulled | cmp -s "$work/whole" -; then
        problem="a second pull does not make it whole"
    fi
    if [ -n "$problem" ]; then result fail "$what: $problem"; else result pass "$what: $(state "$name" "$found")"; fi
}
state() {
    if [ "$2" = 0 ]; then
        echo "absent, then pulled again"
    elif grep -qx named "$work/$1.answers"; then
        echo "whole"
    else
        echo "whole, its name not yet given"
    fi
}

# cut_power NAME WHAT DISK MOMENT: works on DISK and kills the machine MOMENT seconds after it began, or with MOMENT `end`
# as soon as the command has said how it ended; then $milliseconds is how long it took.
cut_power() {
    local name=$1 what=$2 disk=$3 moment=$4 begin
    start_machine "$name" cut "$disk" "vm.do=$what"
    wait_answer "$name" '^begin' 1800 || return 1
    begin=$(date +%s%N)
    if [ "$moment" = end ]; then
        wait_answer "$name" '^end' 1800 || return 1
        milliseconds=$((($(date +%s%N) - begin) / 1000000))
    else
        sleep "$moment"
    fi
    kill_machine
}

# after_cut NAME DISK MUST TITLE: boots on the disk and judges.
after_cut() {
    if check_disk "$1" "$2"; then
        judge "$1" "$3" "$4"
    else
        result fail "$4: the machine did not come up again, see $logs/$1.console"
    fi
    rm -f "$2" "$work/$1.log"
}

# A real cut in round NUMBER of 8: one right after the end, whose writes are kept, one in a removal, the others at a random
# moment of a pull or a little after it.
cut_round() {
    local name=cut-$1 what=pull start=$pristine moment=end title must=any
    case $(($1 % 8)) in
    1) ;;
    5) what=remove start=$work/peaceful.img moment=$(random_seconds 1000) ;;
    *) moment=$(random_seconds $((milliseconds * 11 / 10))) ;;
    esac
    title="power-cut $1: $what, $([ "$moment" = end ] && echo "at its end" || echo "after $moment s")"
    cp --sparse=always "$start" "$work/$name.img"
    if cut_power "$name" "$what" "$work/$name.img" "$moment"; then
        if grep -qx 'end 0' "$work/$name.answers"; then must=$([ $what = pull ] && echo present || echo absent); fi
        if [ "$1" = 1 ]; then mv "$work/$name.log" "$work/pull.log"; else rm "$work/$name.log"; fi
        after_cut "$name-check" "$work/$name.img" "$must" "$title"
    else
        result fail "$title: the machine did not get there, see $logs/$name.console"
        kill_machine
    fi
}

# A cut that the disk's own cache does not survive, in the recorded pull: once after its last write, else anywhere.
replay_round() {
    local name=replay-$1 end=random must=any kept
    if [ $(($1 % 8)) = 2 ]; then end=all must=present; fi
    cp --sparse=always "$pristine" "$work/$name.img"
    if kept=$(python3 "$here/replay.py" "$work/pull.log" "$work/$name.img" $end); then
        after_cut "$name" "$work/$name.img" $must "power-cut $1: pull, $kept"
    else
        result fail "power-cut $1: the recorded writes cannot be read"
    fi
}

# A pull that nothing disturbs says what is whole, and leaves a disk that holds it.
cp --sparse=always "$pristine" "$work/peaceful.img"
milliseconds=5000
if check_disk peaceful "$work/peaceful.img" && ! grep -qE '^(problem|fail)' "$work/peaceful.answers"; then
    trees peaceful pulled > "$work/whole"
    for round in $(seq "${ROUNDS:-8}"); do
        if [ $((round % 2)) = 1 ]; then cut_round "$round"; else replay_round "$round"; fi
    done
else
    result fail "power-cut: a pull without a cut did not work, see $logs/peaceful.*"
fi
