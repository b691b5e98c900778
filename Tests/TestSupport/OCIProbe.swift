internal import Glibc
package import Sys

/// The static probe of rootfs-fixtures inside a bundle: what it prints of the process that it is.
package enum OCIProbe {
    package static let isPossible =
        Conditions.has("cc") && File.exists("\(PackageTree.root)/rootfs-fixtures/probe.c")

    private static let built = Result<[UInt8], any Error> {
        let sources = try Directory.entries("\(PackageTree.root)/rootfs-fixtures").map(\.name)
        let files = sources.filter { $0.hasPrefix("probe") && $0.hasSuffix(".c") }.sorted()
        let scratch = try Scratch()
        try Tool.check(
            "cc", ["-std=gnu17", "-O1", "-static", "-o", scratch("probe")] + files,
            directory: "\(PackageTree.root)/rootfs-fixtures")
        return try File.readAll(scratch("probe"))
    }

    /// `key=value` lines; the last one of a key counts.
    package static func parse(_ output: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
        }
        return result
    }

    /// Puts it among the files of a bench, for the host's side.
    package static func install(_ bench: OCIBench) throws -> String {
        try bench.scratch.file("probe", try bytes(), mode: 0o755)
    }

    fileprivate static func bytes() throws -> [UInt8] { try built.get() }
}

extension File {
    /// Writes into a file that is there, such as a kernel parameter.
    package static func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        let file = try open(path, O_WRONLY)
        try write(file.raw, bytes)
    }
}

extension Conditions {
    /// CAP_SYS_RESOURCE, which root in a virtual machine may lack.
    package static let mayRaiseResources: Bool = {
        let status = String(decoding: (try? File.readAll("/proc/self/status", limit: 8192)) ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        return (line.flatMap { UInt64($0.dropFirst(8), radix: 16) } ?? 0) & 1 << 24 != 0
    }()
}

extension OCIContainer {
    /// Puts the probe at /bin/probe.
    package func installProbe() throws {
        try bench.scratch.file("\(id)/rootfs/bin/probe", try OCIProbe.bytes(), mode: 0o755)
    }

    /// What the probe says as a further process.
    package func probe(_ flags: String...) throws -> [String: String] {
        let output = try bench.run(["exec"] + flags + [id, "/bin/probe"])
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return OCIProbe.parse(output.stdout)
    }
}

extension OCIBench {
    /// What the probe says as a container's first process.
    package func probe(_ change: (inout OCIConfig) throws -> Void = { _ in }) throws -> [String: String] {
        let container = try container { config in
            config["process.args"] = ["/bin/probe"]
            try change(&config)
        }
        try container.installProbe()
        let output = try container.run()
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return OCIProbe.parse(output.stdout)
    }
}
