# Runs suites of the test bundle and reports each test's end; sourced. A test that is skipped is a failure unless this
# machine is meant not to have what it needs, which `absent` says.
. /vm/report.sh

# Cgroups of the other kind, and what exists in no installation of ours.
if [ "$(option cgroup)" = v1 ]; then
    absent='cgroup v2'
else
    absent='cgroup v1'
fi
[ "$(cat /proc/1/comm)" = systemd ] || absent="$absent|systemd as the first process"
[ -e "$(dirname "$tree")/shared/images" ] || absent="$absent|shared/images"
[ -e /usr/share/containers/seccomp.json ] || absent="$absent|podman.s profile"

export RUNIMG_BIN_DIR="$tree/.build/release" SWIFT_BACKTRACE=enable=no NO_COLOR=1
# Emulated processors are ten times slower, and what shares the host makes them slower still.
export RUNIMG_TEST_PATIENCE=20

# run_suites NAME OPTION...: with the options of Swift Testing.
run_suites() {
    name=$1
    shift
    rm -f /tmp/tests.xml /tmp/ends
    (cd "$tree" && /vm/tests --testing-library swift-testing --xunit-output /tmp/tests.xml "$@") 2>&1
    status=$?
    : > /tmp/ends
    if [ ! -s /tmp/tests.xml ]; then
        fail "$name" "the test runner ended without a report (exit $status)"
        return
    fi
    report_tests
    if ! grep -q '^fail' /tmp/ends && [ "$status" != 0 ]; then
        fail "$name" "the test runner failed (exit $status) though no test did"
    fi
}

report_tests() {
    awk -v absent="$absent" '
        function attribute(name) {
            if (!match($0, " " name "=\"[^\"]*\"")) return ""
            return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
        }
        function plain(text) {
            gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&apos;|&#39;/, "\047", text)
            gsub(/&#10;/, " ", text); gsub(/&amp;/, "\\&", text)
            return text
        }
        function end() {
            if (name == "") return
            if (failure != "") print "fail " name ": " plain(failure)
            else if (skip != "") print (skip ~ absent ? "skip " : "fail ") name ": " (skip ~ absent ? "" : "skipped: ") plain(skip)
            else print "pass " name
            name = ""
        }
        /<testcase/ { end(); name = attribute("classname") "." attribute("name"); failure = skip = "" }
        /<failure/ { if (failure == "") failure = attribute("message") " " }
        /<skipped/ { skip = $0; gsub(/^ *<skipped>|<\/skipped>$/, "", skip); if (skip == "") skip = "no reason given" }
        END { end() }' /tmp/tests.xml > /tmp/ends
    cat /tmp/ends > "$answers"
}

# expect_suites NAME SUITE...: a filter that no longer matches would leave a suite out without a word.
expect_suites() {
    name=$1
    shift
    for suite in "$@"; do grep -q "$suite\." /tmp/ends || fail "$name" "no test of $suite ran"; done
}
