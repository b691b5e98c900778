import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

/// A container whose probe attacks others for as long as the value lives.
final class Attacker {
    let pid: pid_t
    private let pidfd: OwnedFD
    private let output: PipeEnds

    /// Returns once the attack is on.
    init(
        _ fixture: ContainerFixture, _ arguments: [String], _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws {
        let output = try PipeEnds()
        let request = try fixture.request(["/probe"] + arguments) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
            change(&request)
        }
        let process = try Launcher.start(try Launcher.plan(request))
        output.closeWriter()
        pid = process.pid
        pidfd = try process.pidfd.duplicate()
        self.output = output
        var line = [UInt8](repeating: 0, count: 6)
        _ = try line.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
        #expect(String(decoding: line, as: UTF8.self) == "ready\n")
    }

    /// Ends it, which must not have ended before, and expects that it has found nothing.
    func expectNothing(location: SourceLocation = #_sourceLocation) throws {
        try Pidfd.send(SIGKILL, to: pidfd.raw)
        #expect(try Pidfd.wait(pidfd.raw) == .signal(SIGKILL), sourceLocation: location)
        let found = Set(String(decoding: try output.readAll(), as: UTF8.self).split(separator: "\n"))
        #expect(found == [], sourceLocation: location)
    }

    deinit {
        try? Pidfd.send(SIGKILL, to: pidfd.raw)
        _ = try? Pidfd.wait(pidfd.raw)
    }
}

/// Files of the host beside an image that nothing may touch.
struct HostFiles {
    let path: String

    init(_ scratch: Scratch) throws {
        path = try scratch.directory("canary")
        for name in ["file", "ptmx"] { try scratch.file("canary/\(name)", "untouched\n") }
    }

    private init(path: String) { self.path = path }

    /// Those that were made before.
    static func at(_ path: String) -> HostFiles { HostFiles(path: path) }

    /// Nothing was made, removed, written or mounted.
    func expectUntouched(location: SourceLocation = #_sourceLocation) throws {
        #expect(
            try Directory.entries(path).map(\.name).sorted() == ["file", "ptmx"], sourceLocation: location)
        for name in ["file", "ptmx"] {
            let text = try File.readAll("\(path)/\(name)", limit: 100)
            #expect(text == Array("untouched\n".utf8), sourceLocation: location)
            #expect(try File.status("\(path)/\(name)").isRegular, sourceLocation: location)
        }
        #expect(Scratch.mounts(below: path).isEmpty, sourceLocation: location)
    }
}

/// What a process of the host's has and no container may find in one that comes from there: a descriptor that is not
/// close-on-exec, as careless callers leave them, the path of its program, a variable of its environment, its rights.
final class HostSecrets {
    private let directory: HostFiles
    private let held: Int32

    init(_ fixture: ContainerFixture) throws {
        directory = try HostFiles(fixture.scratch)
        let opened = try Directory.open(directory.path)
        held = dup(opened.raw)
        _ = consume opened
    }

    deinit { close(held) }

    /// A probe that looks for all of it, and prints what it finds; for the rights only where they must be gone by then.
    func stalk(_ mode: String, rights isAsked: Bool = true) throws -> [String] {
        let program = try File.readLink("/proc/self/exe").split(separator: "/").last.map(String.init) ?? ""
        let path = "PATH=" + String(cString: try #require(getenv("PATH")))
        let status = String(decoding: try File.readAll("/proc/self/status", limit: 8192), as: UTF8.self)
        let rights = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapPrm:") }.map(String.init))
        return ["stalk", mode, directory.path, program, path] + (isAsked ? [rights] : [])
    }

    /// A long command makes exec last longer, and the time just before it is what the attack is about.
    static let victim = ["true", String(repeating: "x", count: 100_000)]
}

extension LaunchRequest {
    mutating func allowTracing() {
        for set in [\Spec.Capabilities.bounding, \.effective, \.permitted] {
            spec.process.capabilities[keyPath: set].append("CAP_SYS_PTRACE")
        }
    }
}

extension Spec.Mount {
    /// A recursive bind mount.
    static func bind(_ source: String, _ destination: String) -> Spec.Mount {
        Spec.Mount(destination: destination, type: "bind", source: source, options: ["rbind"])
    }
}
