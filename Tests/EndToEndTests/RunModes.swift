internal import TestSupport
import Testing

/// The ways in which the same image is put together and run. A further one is one more case here, and what it can't do
/// is a line in `RunModeTests`.
enum RunMode: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// The suites themselves run so.
    case root = "root/overlay2"
    case user = "user/userns"
    case fuse = "user/fuse-overlayfs"
    case copyup = "user/copyup"
    case proot = "user/proot"

    var testDescription: String { rawValue }

    /// Those that the shared tests are run in once more.
    static let further = allCases.filter { $0 != .root }

    fileprivate func engine() throws -> SharedEngine {
        switch self {
        case .root: return try SharedEngine()
        case .user:
            let user = try #require(OrdinaryUser.ranged)
            return try SharedEngine(user: user)
        case .fuse:
            let user = try #require(OrdinaryUser.ranged)
            return try SharedEngine(user: user, configuration: #"{"storage-driver": "fuse-overlayfs"}"#)
        case .copyup:
            let user = try #require(OrdinaryUser.ranged)
            return try SharedEngine(user: user, configuration: #"{"storage-driver": "copyup"}"#)
        case .proot:
            let user = try #require(OrdinaryUser.plain)
            let engine = try SharedEngine(user: user, isImprisoned: true)
            // What it says once comes into no test's output.
            try engine.runimg.check("run", "--rm", engine.image, "true")
            return engine
        }
    }

    /// Why it can't be had on this machine; nil where it can.
    var obstacle: String? {
        switch self {
        case .root, .user, .copyup: nil
        case .proot: Conditions.has("proot", "unshare") ? nil : "needs proot"
        case .fuse:
            !Conditions.has("fuse-overlayfs")
                ? "needs fuse-overlayfs"
                : OrdinaryUser.ranged?.mayUse("/dev/fuse") == true ? nil : "needs /dev/fuse and ACLs on it"
        }
    }

    /// Runs `body` with the mode's program and store as those of the suite.
    func run(_ body: () throws -> Void) throws {
        if let obstacle { try Test.cancel("\(rawValue): \(obstacle)") }
        let engine = try #require(RunModeEngines.current[self])
        try SharedEngine.$current.withValue(engine) { try body() }
    }
}

/// The programs of all further modes, each with the fixture image, for one suite.
private enum RunModeEngines {
    @TaskLocal static var current: [RunMode: SharedEngine] = [:]
}

struct RunModesTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard Conditions.canRun, OrdinaryUser.isPossible else { return try await function() }
        var engines: [RunMode: SharedEngine] = [:]
        for mode in RunMode.further where mode.obstacle == nil { engines[mode] = try mode.engine() }
        try await RunModeEngines.$current.withValue(engines) { try await function() }
    }
}

extension Trait where Self == RunModesTrait {
    /// Pulls the fixture image in each further mode, once for a whole suite.
    static var modes: Self { RunModesTrait() }
}
