# The suites that ask the kernel most, each of their tests: launch, limits, devices, exits. A test that is skipped is a
# failure unless this machine is meant not to have what it needs.
. /vm/report.sh

# Cgroups of the other kind, and what exists in no installation of ours.
if [ "$(option cgroup)" = v1 ]; then
    absent='cgroup v2'
else
    absent='cgroup v1'
fi
[ -e "$(dirname "$tree")/shared/images" ] || absent="$absent|shared/images"
[ -e /usr/share/containers/seccomp.json ] || absent="$absent|podman.s profile"

export RUNIMG_BIN_DIR="$tree/.build/release" SWIFT_BACKTRACE=enable=no NO_COLOR=1
# Emulated processors are ten times slower, and what shares the host makes them slower still.
export RUNIMG_TEST_PATIENCE=20
cd "$tree"
# The one test left out keeps both processors busy with work of its own, which an emulated machine pays for tenfold.
/vm/tests --testing-library swift-testing --xunit-output /tmp/tests.xml \
    --filter '^(RuntimeTests|CgroupsTests)\.' \
    --filter '^OCIRuntimeTests\.OCIRuntimeTests/' \
    --filter '^EndToEndTests\.RootlessTests/limits' \
    --filter '^EndToEndTests\.EndToEnd/(Resources|ExitCodes|StorageFlags|Isolation|Leaks/(accepted|aStart|aKilled))' \
    --skip 'StressTests/neverHangsBesideBusyThreads' 2>&1
status=$?
if [ ! -s /tmp/tests.xml ]; then
    fail suites "the test runner ended without a report (exit $status)"
    exit 0
fi

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
if ! grep -q '^fail' /tmp/ends && [ "$status" != 0 ]; then fail suites "the test runner failed (exit $status) though no test did"; fi
# A filter that no longer matches would leave a suite out without a word.
for suite in RuntimeTests.LaunchTests RuntimeTests.OverlayTests RuntimeTests.ExecTests RuntimeTests.SeccompKernelTests \
    OCIRuntimeTests.Lifecycle OCIRuntimeTests.Resources CgroupsTests.LimitEffectTests CgroupsTests.UnifiedLimitValueTests CgroupsTests.LimitValueTests \
    EndToEnd.Resources EndToEnd.ExitCodes EndToEnd.StorageFlags EndToEnd.Isolation EndToEnd.Leaks EndToEndTests.RootlessTests; do
    grep -q "$suite\." /tmp/ends || fail suites "no test of $suite ran"
done
