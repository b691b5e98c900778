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

extension Spec.Mount {
    /// A recursive bind mount.
    static func bind(_ source: String, _ destination: String) -> Spec.Mount {
        Spec.Mount(destination: destination, type: "bind", source: source, options: ["rbind"])
    }
}
