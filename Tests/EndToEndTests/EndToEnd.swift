internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// Everything here runs the executables as a user would, with the fixture image in a store that the suite shares.
@Suite(
    .engine, .enabled(if: Conditions.canRun, "needs root, overlayfs, the executables and the fixture images"))
struct EndToEnd {}

extension Conditions {
    /// Containers can be started from the fixtures.
    static let canRun = isRoot && hasOverlay && hasBinaries && hasFixtures
    static let canPull = canRun && hasRegistry
    static let canPullAlpine = canPull && hasSharedImages
}

/// One program with the images that most tests start from. Tests that change the store make their own.
struct SharedEngine: Sendable {
    let runimg: Runimg
    /// The image ID of the fixture busybox.
    let image: String

    @TaskLocal static var current: SharedEngine?

    init(user: OrdinaryUser? = nil, configuration: String = "{}", isImprisoned: Bool = false) throws {
        runimg = try Runimg(configuration: configuration, user: user, isImprisoned: isImprisoned)
        try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
        image = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
    }
}

struct EngineTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard Conditions.canRun else { return try await function() }
        try await SharedEngine.$current.withValue(try SharedEngine()) { try await function() }
    }
}

extension Trait where Self == EngineTrait {
    /// Pulls the fixture image once for a whole suite.
    static var engine: Self { EngineTrait() }
}

extension EndToEnd {
    static var engine: SharedEngine {
        get throws { try #require(SharedEngine.current) }
    }

    /// A directory of the user's whose commands are run.
    static func scratch(for other: Runimg? = nil) throws -> Scratch {
        let scratch = try Scratch()
        if let user = try (other ?? engine.runimg).user { try check { chown(scratch.path, user.uid, user.uid) } }
        return scratch
    }

    /// `runimg run --rm FLAGS IMAGE COMMAND` with the fixture image.
    static func run(
        _ flags: [String] = [], _ command: String..., input: String = "", timeout: Double = 60
    ) throws -> Tool.Output {
        let engine = try engine
        return try engine.runimg.run(
            ["run", "--rm"] + flags + [engine.image] + command, input: Array(input.utf8), timeout: timeout)
    }

    /// What a shell in the container prints, without the last line's end; throws unless it exits with 0.
    static func shell(_ flags: [String] = [], _ script: String, input: String = "") throws -> String {
        let output = try run(flags, "sh", "-c", script, input: input)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output.stdout.hasSuffix("\n") ? String(output.stdout.dropLast()) : output.stdout
    }

    /// Records each thing that is there now and was not when `snapshot` was taken.
    static func expectClean(
        _ snapshot: LeakSnapshot, _ when: String = "", location: SourceLocation = #_sourceLocation
    ) throws {
        for line in try snapshot.leaks() { Issue.record("left behind \(when): \(line)", sourceLocation: location) }
    }

    /// What the probe finds in a container started with `flags`.
    static func probe(_ flags: String...) throws -> Probe {
        let output = try run(flags, "/probe")
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return Probe(output.stdout)
    }
}

/// The probe's answers by key.
struct Probe: Sendable {
    let values: [String: String]

    init(_ text: String) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let mark = line.firstIndex(of: "=") else { continue }
            values[String(line[..<mark])] = String(line[line.index(after: mark)...])
        }
        self.values = values
    }

    subscript(key: String) -> String? { values[key] }

    /// The answers whose keys begin with `prefix`, without it.
    func all(_ prefix: String) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in values where key.hasPrefix(prefix) { result[String(key.dropFirst(prefix.count))] = value }
        return result
    }

    /// The mount point's line of mountinfo, its options and the file system's type and source.
    func mount(at point: String) -> (options: [String], type: String, source: String, superOptions: [String])? {
        for line in all("mount.").values {
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { continue }
            let left = halves[0].split(separator: " ")
            let right = halves[1].split(separator: " ")
            guard left.count > 5, right.count > 2, left[4] == point else { continue }
            return (
                left[5].split(separator: ",").map(String.init), String(right[0]), String(right[1]),
                right[2].split(separator: ",").map(String.init)
            )
        }
        return nil
    }
}
