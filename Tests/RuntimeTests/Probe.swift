import Runtime
import Sys
import TestSupport
import Testing

/// The static probe of rootfs-fixtures, built once a test run.
enum Probe {
    static let isPossible = Conditions.has("cc") && File.exists("\(PackageTree.root)/rootfs-fixtures/probe.c")

    private static let built = Result<[UInt8], any Error> {
        let sources = try Directory.entries("\(PackageTree.root)/rootfs-fixtures").map(\.name)
        let files = sources.filter { $0.hasPrefix("probe") && $0.hasSuffix(".c") }.sorted()
        let scratch = try Scratch()
        try Tool.check(
            "cc", ["-std=gnu17", "-O1", "-static", "-o", scratch("probe")] + files,
            directory: "\(PackageTree.root)/rootfs-fixtures")
        return try File.readAll(scratch("probe"))
    }

    static func install(_ scratch: Scratch, _ image: String) throws {
        try scratch.file("overlay2/base/diff/probe", try built.get(), mode: 0o755)
    }

    /// `key=value` lines; the last one of a key counts.
    static func parse(_ output: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
        }
        return result
    }
}

extension ContainerFixture {
    static let hasProbe = isPossible && Probe.isPossible
    static let probeRequirement: Comment = "needs root, overlayfs, busybox-static and cc"

    static func withProbe(_ prepare: (Scratch, String) throws -> Void = { _, _ in }) throws -> ContainerFixture {
        try ContainerFixture { scratch, image in
            try Probe.install(scratch, image)
            try prepare(scratch, image)
        }
    }

    func probe(_ change: (inout LaunchRequest) -> Void = { _ in }) throws -> [String: String] {
        let result = try run(["/probe"], change)
        #expect(result.exit == .code(0), "\(result)")
        return Probe.parse(result.output)
    }
}
