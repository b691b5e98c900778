# The suites that ask the kernel most, each of their tests: launch, limits, devices, exits.
. /vm/run-suites.sh

# The one test left out keeps both processors busy with work of its own, which an emulated machine pays for tenfold.
run_suites suites \
    --filter '^(RuntimeTests|CgroupsTests)\.' \
    --filter '^OCIRuntimeTests\.OCIRuntimeTests/' \
    --filter '^EndToEndTests\.RootlessTests/limits' \
    --filter '^EndToEndTests\.EndToEnd/(Resources|ExitCodes|StorageFlags|Isolation|Leaks/(accepted|aStart|aKilled))' \
    --skip 'StressTests/neverHangsBesideBusyThreads'
expect_suites suites RuntimeTests.LaunchTests RuntimeTests.OverlayTests RuntimeTests.ExecTests \
    RuntimeTests.SeccompKernelTests OCIRuntimeTests.Lifecycle OCIRuntimeTests.Resources \
    CgroupsTests.LimitEffectTests CgroupsTests.UnifiedLimitValueTests CgroupsTests.LimitValueTests \
    EndToEnd.Resources EndToEnd.ExitCodes EndToEnd.StorageFlags EndToEnd.Isolation EndToEnd.Leaks \
    EndToEndTests.RootlessTests
