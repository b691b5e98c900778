#!/bin/bash
# The suite with the C code under the address sanitizer, and with undefined behaviour a trap: the child between clone and
# exec (CInit) too, and the init that it executes. Arguments go to `swift test`.
set -euo pipefail
cd "$(dirname "$0")/.."

# The init has no runtime library, and the child none that it may call: traps need neither.
flags=(--scratch-path .build-asan --sanitize=address -Xswiftc -use-ld=lld
    -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=all -Xcc -DCINIT_TRAPPING)
swift build --build-tests "${flags[@]}"

export RUNIMG_BIN_DIR="$PWD/.build-asan/debug"
export SWIFT_BACKTRACE=enable=no
# Bounds on memory allow for the sanitizer's own.
export RUNIMG_TEST_SANITIZED=1
# And so do waits for its speed.
export RUNIMG_TEST_PATIENCE=${RUNIMG_TEST_PATIENCE:-5}
# Of the runner itself; what it starts says so on its standard error.
export ASAN_OPTIONS=log_path=$PWD/.build-asan/report
rm -f .build-asan/report.*

status=0
timeout --kill-after=60 90m swift test --skip-build --disable-xctest "${flags[@]}" "$@" || status=$?
reports=$(find .build-asan -maxdepth 1 -name 'report.*')
for report in $reports; do
    echo "== $report"
    head -20 "$report"
done
[ -z "$reports" ] || status=1
exit "$status"
