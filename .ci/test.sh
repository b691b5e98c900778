#!/bin/bash
# Runs the whole suite against the release executables and ends with one line of counts. Fails when a test failed, when
# none ran, and when the runner died before it had said how it went.
set -euo pipefail
cd "$(dirname "$0")/.."

export RUNIMG_BIN_DIR="$PWD/.build/release"
# A trap in a test must end the run, not wait for a person at a debugger.
export SWIFT_BACKTRACE=interactive=no,color=no
# In a network namespace of its own: containers' networks change bridges, forwarding and firewall of the host.
if [ "$(id -u)" -eq 0 ] && [ -z "${RUNIMG_TEST_NETWORK:-}" ] && unshare -n true 2>/dev/null; then
    status=0
    RUNIMG_TEST_NETWORK=1 unshare -n bash -c 'ip link set lo up && exec "$@"' bash bash "$0" "$@" || status=$?
    # What runimg has noted of the namespaces that are gone now.
    root=$(mktemp -d)
    "$RUNIMG_BIN_DIR/runimg" --data-root "$root" network prune -f || status=1
    rm -rf "$root"
    exit "$status"
fi
results=$(mktemp -d)
finish() {
    rm -rf "$results"
    # The parents of all containers' cgroups, which runimg leaves as docker leaves its own. In use, they stay.
    for parent in /sys/fs/cgroup/runimg{,-oci} /sys/fs/cgroup/*/runimg{,-oci}; do
        if [ -d "$parent" ]; then rmdir --ignore-fail-on-non-empty "$parent" || true; fi
    done
}
trap finish EXIT

status=0
# Bounded, so that a test that hangs is a failure that says so and not a machine that waits.
timeout --kill-after=60 "${TEST_TIMEOUT:-45m}" swift test --skip-build --disable-xctest --xunit-output "$results/tests.xml" "$@" |
    tee "$results/log" || status=${PIPESTATUS[0]}

# One testcase element a test function; a parameterised one may hold several failures.
read -r passed failed skipped < <(cat "$results"/*.xml 2>/dev/null | awk '
    /<testcase/ { total++; counted = 0 }
    /<failure/ && !counted { failed++; counted = 1 }
    /<skipped/ { skipped++ }
    END { print total - failed - skipped, failed + 0, skipped + 0 }')

if [ ! -s "$results/tests.xml" ]; then
    echo "the test runner ended without a report (exit $status)" >&2
    failed=1
elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    echo "the test runner failed (exit $status) though no test did" >&2
    # What is found on a thread of its own, or when a fixture goes that several tests share, is no test's.
    grep -A2 -E '^✘ (Suite |Test «unknown»).*recorded' "$results/log" | tail -n 60 | cut -c1-1000 || true
    failed=1
fi
if [ "$skipped" -gt 0 ]; then
    echo "skipped, and why:"
    awk '/<testcase/ { match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8) }
        /<skipped/ { gsub(/^ *<skipped>|<\/skipped>$/, ""); print "  " name ": " $0 }' "$results/tests.xml"
fi
if [ "$failed" -gt 0 ]; then
    echo "failed:"
    # With what each one said, since a log may be kept by its end only.
    awk '/<testcase/ { match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8) }
        /<failure/ { match($0, /message="[^"]*"/); print "  " name ": " substr($0, RSTART + 9, RLENGTH - 10) }' \
        "$results"/*.xml 2>/dev/null | cut -c1-1000 | sort -u |
        sed "s/&quot;/\"/g; s/&apos;/'/g; s/&lt;/</g; s/&gt;/>/g; s/&#8594;/→/g; s/&amp;/\&/g"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
