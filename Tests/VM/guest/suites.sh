# The suites that ask the kernel most, each of their tests: launch, limits, devices, exits.
. /vm/run-suites.sh

runtimes=$(option runtimes)
[ -z "$runtimes" ] || export RUNIMG_OCI_RUNTIME="$runtimes"
only=$(option filter)
if [ -n "$only" ]; then
    set -- --filter "$only"
else
    set -- --filter '^(RuntimeTests|CgroupsTests)\.' \
        --filter '^OCIRuntimeTests\.(OCIRuntimeTests|OCICallers)/' \
        --filter '^EndToEndTests\.RootlessTests/limits' \
        --filter '^EndToEndTests\.EndToEnd/(Resources|ExitCodes|StorageFlags|Isolation|Leaks/(accepted|aStart|aKilled))'
fi
# The one test left out keeps both processors busy with work of its own, which an emulated machine pays for tenfold.
run_suites suites "$@" --skip 'StressTests/neverHangsBesideBusyThreads'
[ -n "$only" ] || expect_suites suites RuntimeTests.LaunchTests RuntimeTests.OverlayTests RuntimeTests.ExecTests \
    RuntimeTests.SeccompKernelTests OCIRuntimeTests.Lifecycle OCIRuntimeTests.Resources OCICallers.ByPodman \
    CgroupsTests.LimitEffectTests CgroupsTests.UnifiedLimitValueTests CgroupsTests.LimitValueTests \
    EndToEnd.Resources EndToEnd.ExitCodes EndToEnd.StorageFlags EndToEnd.Isolation EndToEnd.Leaks \
    EndToEndTests.RootlessTests
