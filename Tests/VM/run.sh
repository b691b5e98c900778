#!/bin/bash
# Boots Debian's own kernel in a virtual machine and runs there what depends on the kernel most: the suites of launch,
# limits and devices on one kind of cgroups alone, podman, docker and containerd with runimg-oci, the release
# executables under limits, containers whose cgroups systemd keeps, and pulls whose power is cut. Ends with one line of
# counts. CGROUP=v2 (default) or v1; PHASES="suites limits systemd power-cut" names parts; ROUNDS is the number of power
# cuts; FILTER (a regular expression without spaces) picks tests of the suites, and RUNIMG_OCI_RUNTIME the OCI runtimes that
# they try.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${CGROUP:-v2}
here=$PWD/Tests/VM kernel=$PWD/.build/vm/kernel
case $mode in
v2) phases=${PHASES:-suites limits systemd power-cut} ;;
v1) phases=${PHASES:-suites limits systemd} ;;
*) echo "make test-vm: CGROUP is v1 or v2, not $mode" >&2; exit 1 ;;
esac
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "make test-vm: needs root for the owners in the guest's disk" >&2; exit 1; }
    exec sudo --preserve-env=CGROUP,PHASES,ROUNDS,FILTER,RUNIMG_OCI_RUNTIME,ACCEL,CPU "$0"
fi
sh .ci/install-vm-dependencies.sh "$kernel" "$PWD/.build/vm/systemd"

work=$(mktemp -d "$PWD/.build/vm/run.XXXXXX")
logs=$PWD/.build/vm/logs
. "$here/machine.sh"
finish() {
    kill_machine
    rm -rf "$logs"
    mkdir "$logs"
    find "$work" -maxdepth 1 \( -name '*.console' -o -name '*.answers' \) -exec mv {} "$logs/" \;
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

results=$work/results
: > "$results"
# Prints and counts an end: pass, fail or skip NAME[: REASON].
result() {
    echo "$*" >> "$results"
    case $1 in
    pass) echo "  ok    ${*:2}" ;;
    fail) echo "  FAIL  ${*:2}" ;;
    skip) echo "  skip  ${*:2}" ;;
    esac
}

# in_machine NAME PHASES SECONDS [OPTION...]: one boot whose answers are results.
in_machine() {
    local line
    start_machine "$1" "$2" "" "${@:4}" ${FILTER:+"vm.filter=$FILTER"} \
        ${RUNIMG_OCI_RUNTIME:+"vm.runtimes=$RUNIMG_OCI_RUNTIME"}
    wait_machine "$3" || result fail "$1: not done after $3 s, see $logs/$1.console"
    while read -r line; do
        case $line in
        pass\ * | fail\ * | skip\ *) result "${line%% *}" "${line#* }" ;;
        note\ *) echo "  ${line#* }" ;;
        esac
    done < "$work/$1.answers"
    grep -qx done "$work/$1.answers" || result fail "$1: the machine stopped before its end, see $logs/$1.console"
}

# systemd makes the cgroups of its machine itself.
unified=
[ "$mode" != v1 ] || unified="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1"
echo "Linux $(ls "$kernel/lib/modules") in qemu, cgroup $mode"
bash "$here/disks.sh" "$work" "$kernel" "$PWD/.build/vm/systemd"
for phase in $phases; do
    echo "$phase:"
    case $phase in
    # Bounds for what hangs; on a quiet machine it takes a twentieth.
    suites) in_machine suites suites 5400 ;;
    limits) in_machine limits limits 1200 ;;
    systemd) in_machine systemd systemd 2400 vm.init=systemd systemd.show_status=0 $unified ;;
    power-cut) . "$here/power-cut.sh" ;;
    *) echo "make test-vm: no phase $phase" >&2; exit 1 ;;
    esac
done

count() { grep -c "^$1 " "$results" || true; }
if grep -q '^fail ' "$results"; then
    echo "failed (consoles in $logs):"
    sed -n 's/^fail /  /p' "$results"
fi
echo "$(count pass) passed, $(count fail) failed, $(count skip) skipped"
[ "$(count fail)" = 0 ] && [ "$(count pass)" -gt 0 ]
