internal import Sys
internal import TestSupport
import Testing

/// The table of ARCHITECTURE.md against the sources: SwiftPM does not refuse an import that the manifest does not name.
@Suite struct ImportTests {
    /// What each target may import of ours. Whatever is not here is an error: a new target gets its line.
    static let allowed: [String: Set<String>] = [
        "Sys": ["CLinux"],
        "OCI": ["CHash"],
        "Images": ["OCI", "Sys"],
        "Logs": ["OCI", "Sys"],
        "Layers": ["OCI", "Sys", "CInflate"],
        "Registry": ["OCI", "Sys", "CCurl"],
        "ImageWorker": ["Registry", "Layers", "Images", "OCI", "Sys"],
        "Rootfs": ["OCI", "Sys"],
        "Union": ["Sys"],
        "Cgroups": ["OCI", "Sys"],
        "Systemd": ["OCI", "Sys"],
        "Network": ["OCI", "Sys", "CPorts"],
        "Runtime": ["OCI", "Sys", "Rootfs", "Cgroups", "CInit", "CSeccomp"],
        "Supervisor": ["Runtime", "OCI", "Sys", "CMonitor"],
        "Engine": [
            "Images", "Logs", "Supervisor", "Runtime", "Cgroups", "Network", "Rootfs", "Union", "OCI", "Sys",
            "CUserNamespace",
        ],
        "DockerCLI": ["Engine", "Images", "Logs", "OCI", "Sys"],
        "OCIRuntime": ["Runtime", "Systemd", "Cgroups", "Rootfs", "OCI", "Sys"],
        "RuntimeCLI": ["OCIRuntime", "Supervisor", "Runtime", "Cgroups", "OCI", "Sys"],
        "runimg": ["DockerCLI", "RuntimeCLI", "Engine", "Sys"],
        "runimg-image": ["ImageWorker", "Sys"],
    ]

    /// What comes with the toolchain and may be used anywhere.
    static let toolchain: Set<String> = ["Glibc", "FoundationEssentials", "Synchronization"]

    /// Modules of C that lie under Sys or under a library's shim: values of theirs appear in our declarations.
    static let everywhere: Set<String> = ["CLinux"]

    @Test(arguments: Self.allowed.keys.sorted())
    func aTargetImportsOnlyWhatLiesBelowIt(_ target: String) throws {
        let permitted = (Self.allowed[target] ?? []).union(Self.toolchain).union(Self.everywhere)
        for file in try SourceFile.all(below: "Sources/\(target)") {
            for module in file.imports where !permitted.contains(module) {
                Issue.record("\(file.path) imports \(module)")
            }
        }
    }

    @Test func everyTargetHasItsLine() throws {
        let targets = try Directory.entries("\(PackageTree.root)/Sources").map(\.name)
        #expect(Set(targets) == Set(Self.allowed.keys))
    }

    @Test func theTableHasNoCycle() {
        var settled: Set<String> = []
        var waiting = Self.allowed
        while let next = waiting.first(where: { $0.value.intersection(Self.allowed.keys).isSubset(of: settled) }) {
            settled.insert(next.key)
            waiting.removeValue(forKey: next.key)
        }
        #expect(waiting.isEmpty)
    }
}
