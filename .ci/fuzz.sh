#!/bin/bash
# Runs the fuzzers, FUZZ_SECONDS each, over their kept inputs (Tests/Fuzz/Corpora). Inputs that reach code which no kept
# one reaches are kept as well; a crash is kept as crash-… and makes the run fail. Ends with one line of counts.
#   FUZZ_SECONDS=60   of each fuzzer
#   FUZZ="Z1 Z5"      only these
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
# Name and bytes of the largest input that is worth trying.
largest="Z1:16384 Z2:8192 Z3:192 Z4:8192 Z5:512 Z6:1024 Z8:1024 Z10:512"
only=${FUZZ:-}

export RUNIMG_FUZZ=1
# Of two options -sanitize the compiler takes the last: the coverage would be lost.
swift build -c release --scratch-path .build-fuzz --sanitize=fuzzer --sanitize=address \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing --product runimg-fuzz
binary=$PWD/.build-fuzz/release/runimg-fuzz

scratch=$(mktemp -d)
# Trees of inputs: in memory where that is.
trees=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /var/tmp)" runimg-fuzz.XXXXXX)
trap 'rm -rf "$scratch" "$trees"' EXIT
export RUNIMG_FUZZ_SCRATCH=$trees
# The backtracer of Swift hangs for minutes under the address sanitizer.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1

count() { find "$1" -type f ! -name 'crash-*' | wc -l; }

runs=0 kept=0 crashes=0 fuzzers=0
for entry in $largest; do
    name=${entry%%:*}
    case " ${only:-$name} " in *" $name "*) ;; *) continue ;; esac
    if [ "$(id -u)" != 0 ] && { [ "$name" = Z2 ] || [ "$name" = Z3 ]; }; then
        echo "$name: passed over, it makes files of other owners and needs root"
        continue
    fi
    corpus=Tests/Fuzz/Corpora/$name
    options=("-max_len=${entry#*:}" -timeout=20 -rss_limit_mb=2048 -verbosity=1)
    [ ! -f "Tests/Fuzz/Dictionaries/$name.dict" ] || options+=("-dict=Tests/Fuzz/Dictionaries/$name.dict")
    export RUNIMG_FUZZ_TARGET=$name
    mkdir -p "$corpus" "$scratch/$name"
    fuzzers=$((fuzzers + 1))
    status=0
    "$binary" "${options[@]}" "-max_total_time=$seconds" -print_final_stats=1 "-artifact_prefix=$corpus/crash-" \
        "$scratch/$name" "$corpus" >"$scratch/$name.log" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        crashes=$((crashes + 1))
        grep -aE '^(FINDING|Fatal error|SUMMARY)|ERROR:|Test unit written' "$scratch/$name.log" || tail -20 "$scratch/$name.log"
    fi
    before=$(count "$corpus")
    # By reached code and not by how often: what is kept stays small.
    # A merge that fails loses new inputs, no finding: it is said, and the run goes on.
    if ! "$binary" "${options[@]}" -merge=1 -use_counters=0 "$corpus" "$scratch/$name" >"$scratch/$name.merge" 2>&1; then
        echo "$name: the inputs that reach new code could not be kept:"
        tail -3 "$scratch/$name.merge"
    fi
    new=$(($(count "$corpus") - before))
    kept=$((kept + new))
    done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$name.log")
    runs=$((runs + ${done:-0}))
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$scratch/$name.log")
    reached=$(grep -aoE 'cov: [0-9]+ ft: [0-9]+' "$scratch/$name.log" | tail -1)
    echo "$name: ${done:-0} runs, ${rate:-0} a second, $reached, $new inputs kept"
done
echo "$fuzzers fuzzers, $runs runs, $kept inputs kept, $crashes crashed"
[ "$crashes" -eq 0 ] && [ "$fuzzers" -gt 0 ]
