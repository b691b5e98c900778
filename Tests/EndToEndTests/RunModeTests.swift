internal import TestSupport
import Testing

/// A test of another suite that holds in every mode. `lacking` says why it can't in some.
struct SharedTest: Sendable, CustomTestStringConvertible {
    let name: String
    let body: @Sendable () throws -> Void
    var lacking: [RunMode: String] = [:]

    var testDescription: String { name }

    init(_ name: String, _ body: @escaping @Sendable () throws -> Void, lacking: [RunMode: String] = [:]) {
        self.name = name
        self.body = body
        self.lacking = lacking
    }
}

/// The run suite once more in every mode but root's, which the suites themselves are.
@Suite(
    .modes, .enabled(if: Conditions.canRun && OrdinaryUser.isPossible, "\(OrdinaryUser.need)"))
struct RunModeTests {
    typealias E = EndToEnd
    private static let noCgroup = ordinary("an ordinary user has no cgroup here")
    private static let inNamespace = ordinary("the user namespace is not the host's")

    private static func ordinary(_ reason: String) -> [RunMode: String] {
        Dictionary(uniqueKeysWithValues: RunMode.further.map { ($0, reason) })
    }

    private static let open: [RunMode: String] = [.proot: "nothing is closed off"]
    private static let hosts: [RunMode: String] = [.proot: "it is the host's"]
    private static let refused: [RunMode: String] = [.proot: "what was asked for is refused"]

    static let process: [SharedTest] = [
        SharedTest(
            "ProcessFlags.theDefaultsAreDockers", { try E.ProcessFlags().theDefaultsAreDockers() }, lacking: hosts),
        SharedTest("ProcessFlags.onlyTheThreeStandardDescriptorsAreOpen") {
            try E.ProcessFlags().onlyTheThreeStandardDescriptorsAreOpen()
        },
        SharedTest("ProcessFlags.environmentFlagsWinInOrder") { try E.ProcessFlags().environmentFlagsWinInOrder() },
        SharedTest("ProcessFlags.theWorkingDirectoryIsMadeWhenMissing") {
            try E.ProcessFlags().theWorkingDirectoryIsMadeWhenMissing()
        },
        SharedTest("ProcessFlags.entrypointAndCommandAreMerged") {
            try E.ProcessFlags().entrypointAndCommandAreMerged()
        },
        SharedTest("ProcessFlags.theHostNameIsSet", { try E.ProcessFlags().theHostNameIsSet() }, lacking: refused),
        SharedTest("ProcessFlags.theNetworkFilesAreThere") { try E.ProcessFlags().theNetworkFilesAreThere() },
        SharedTest(
            "ProcessFlags.anInitReapsAndForwards", { try E.ProcessFlags().anInitReapsAndForwards() }, lacking: hosts),
        SharedTest("ProcessFlags.aDryRunStartsNothing") { try E.ProcessFlags().aDryRunStartsNothing() },
        SharedTest("ExitCodes.theProcessesOwnCodeComesBack") { try E.ExitCodes().theProcessesOwnCodeComesBack() },
        SharedTest("ExitCodes.outputGoesWhereItWasWritten") { try E.ExitCodes().outputGoesWhereItWasWritten() },
        SharedTest("ExitCodes.interactivePassesInputAndItsEnd") { try E.ExitCodes().interactivePassesInputAndItsEnd() },
        SharedTest("ExitCodes.muchOutputComesWholeAndInOrder") { try E.ExitCodes().muchOutputComesWholeAndInOrder() },
        SharedTest(
            "Terminals.theTerminalIsTheContainersOwn", { try E.Terminals().theTerminalIsTheContainersOwn() },
            lacking: hosts),
        SharedTest(
            "Terminals.aShellIsTypedIntoResizedAndLeft", { try E.Terminals().aShellIsTypedIntoResizedAndLeft() },
            lacking: hosts),
    ]

    static let isolation: [SharedTest] = [
        SharedTest(
            "Isolation.everyNamespaceIsItsOwn", { try E.Isolation().everyNamespaceIsItsOwn() },
            lacking: inNamespace),
        SharedTest(
            "Isolation.networkNoneHasLoopbackOnly", { try E.Isolation().networkNoneHasLoopbackOnly() }, lacking: refused
        ),
        SharedTest("Isolation.networkHostIsTheHosts", { try E.Isolation().networkHostIsTheHosts() }, lacking: hosts),
        SharedTest(
            "Isolation.capabilitiesAreTheRecommendedTwelve",
            { try E.Isolation().capabilitiesAreTheRecommendedTwelve() }, lacking: open),
        SharedTest(
            "Isolation.theDefaultFilterRefusesWhatReachesTheHost",
            { try E.Isolation().theDefaultFilterRefusesWhatReachesTheHost() }, lacking: open),
        SharedTest(
            "Isolation.noNewPrivilegesWhenAskedFor", { try E.Isolation().noNewPrivilegesWhenAskedFor() },
            lacking: [.proot: "it is always on"]),
        SharedTest(
            "Isolation.theHostsFilesAreMaskedOrReadOnly", { try E.Isolation().theHostsFilesAreMaskedOrReadOnly() },
            lacking: open),
        SharedTest(
            "Isolation.theProgramThatStartedItCannotBeWritten",
            { try E.Isolation().theProgramThatStartedItCannotBeWritten() }, lacking: open),
        SharedTest("Isolation.theOldRootIsGone", { try E.Isolation().theOldRootIsGone() }, lacking: open),
        SharedTest(
            "Isolation.parametersOfItsNamespacesOnly", { try E.Isolation().parametersOfItsNamespacesOnly() },
            lacking: refused),
        SharedTest(
            "Isolation.processesOfOthersAreNotSeen", { try E.Isolation().processesOfOthersAreNotSeen() },
            lacking: noCgroup),
        SharedTest("Isolation.theKeyringIsItsOwn", { try E.Isolation().theKeyringIsItsOwn() }, lacking: open),
        SharedTest("Pause.allStandStillAndGoOn", { try E.Pause().allStandStillAndGoOn() }, lacking: noCgroup),
    ]

    static let files: [SharedTest] = [
        SharedTest(
            "Diff.listsWhatDockerLists", { try E.Diff().listsWhatDockerLists() },
            lacking: [.proot: "an owner's rights are not taken away"]),
        SharedTest("Diff.listsARunningContainer") { try E.Diff().listsARunningContainer() },
        SharedTest(
            "Commit.whatAContainerChangedIsInTheImage", { try E.Commit().whatAContainerChangedIsInTheImage() },
            lacking: [.proot: "owners are not kept"]),
        SharedTest("Commit.aContainerWithoutChangesAddsNoLayer") {
            try E.Commit().aContainerWithoutChangesAddsNoLayer()
        },
        SharedTest(
            "Commit.smuggledWhiteout", { try E.Commit().smuggledWhiteout() },
            lacking: [.fuse: "fuse-overlayfs takes no name that begins with .wh."]),
        SharedTest(
            "Export.writesAllFilesWithoutMounts",
            { for running in [false, true] { try E.Export().writesAllFilesWithoutMounts(running: running) } },
            lacking: refused),
        SharedTest("StorageFlags.imagesVolumesAreFilledFromTheImage") {
            try E.StorageFlags().imagesVolumesAreFilledFromTheImage()
        },
        SharedTest("StorageFlags.namedVolumesStay") { try E.StorageFlags().namedVolumesStay() },
        SharedTest(
            "StorageFlags.temporaryFileSystems", { try E.StorageFlags().temporaryFileSystems() }, lacking: refused),
        SharedTest(
            "StorageFlags.aReadOnlyRootStillHasItsMounts", { try E.StorageFlags().aReadOnlyRootStillHasItsMounts() },
            lacking: refused),
        SharedTest("StorageFlags.theContainersLayerIsItsOwn") { try E.StorageFlags().theContainersLayerIsItsOwn() },
        SharedTest(
            "StorageFlags.sharedMemoryHasItsSize", { try E.StorageFlags().sharedMemoryHasItsSize() }, lacking: refused),
        SharedTest(
            "StorageFlags.theDevicesAreDockers", { try E.StorageFlags().theDevicesAreDockers() }, lacking: hosts),
    ]

    static let lives: [SharedTest] = [
        SharedTest("Exec.theCommandsEndIsTheCallers") { try E.Exec().theCommandsEndIsTheCallers() },
        SharedTest("Exec.refusals", { try E.Exec().refusals() }, lacking: noCgroup),
        SharedTest(
            "Exec.needsARunningContainer", { try E.Exec().needsARunningContainer() }, lacking: noCgroup),
        SharedTest(
            "Exec.surroundingsAreDockers", { try E.Exec().surroundingsAreDockers() },
            lacking: [.proot: "proot sets PWD, and keeps the groups"]),
        SharedTest("LogsTests.whatAContainerWroteIsShownOnItsOwnStreams") {
            try E.LogsTests().whatAContainerWroteIsShownOnItsOwnStreams()
        },
        SharedTest("LogsTests.aTerminalsOutputGoesToStandardOutput") {
            try E.LogsTests().aTerminalsOutputGoesToStandardOutput()
        },
        SharedTest(
            "Top.listsAllProcessesInDockersColumns", { try E.Top().listsAllProcessesInDockersColumns() },
            lacking: noCgroup),
        SharedTest("Attaching.onlyWhatRunsIsJoined") { try E.Attaching().onlyWhatRunsIsJoined() },
        SharedTest("Stats.stoppedOnesAreShownOnRequestAndUseNothing") {
            try E.Stats().stoppedOnesAreShownOnRequestAndUseNothing()
        },
    ]

    @Test(arguments: RunMode.further, process + isolation + files + lives)
    func holds(_ mode: RunMode, _ test: SharedTest) throws {
        if let reason = test.lacking[mode] { try Test.cancel("\(mode.rawValue): \(reason)") }
        try mode.run(test.body)
    }
}
