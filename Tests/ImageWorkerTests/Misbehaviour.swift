import CLinux
import Glibc
import Images
import OCI
import Sys
import TestSupport

/// A store with another image, a container and a volume, something to protect outside, and strangers to harm: what the
/// worker that misbehaves is let loose on.
final class Misbehaviour {
    static let program = "\(PackageTree.root)/.build/debug/MisbehavingWorker"

    let fixture: PullFixture
    let canary: Canary
    /// A layer of the other image, and its diff ID.
    let layer: String
    let known: Digest
    let registry: Listener
    let service: Listener
    let local: Listener
    private var stranger: ChildProcess
    private let before: TreeListing

    init() throws {
        fixture = try PullFixture()
        canary = try Canary()
        var sample = try SampleImage()
        try sample.addLayer("other", size: 1000, files: 2)
        try sample.finish(as: "other:1")
        try fixture.pull(sample.source)
        guard let image = try fixture.store.resolve("other:1") else { throw StoreError.noSuchImage("other:1") }
        layer = image.layers[0].diff
        known = sample.layers[0].diffID
        for name in ["file", "renamed", "moved", "truncated", "unlinked"] {
            try File.replace("\(layer)/\(name)", with: Array("do not touch\n".utf8))
        }
        for directory in ["containers", "containers/c0ffee", "volumes", "volumes/data", "volumes/data/_data"] {
            try Directory.make("\(fixture.dataRoot)/\(directory)", mode: 0o700)
        }
        try File.replace("\(fixture.dataRoot)/containers/c0ffee/config.json", with: Array("{}".utf8))
        registry = try Listener()
        service = try Listener()
        local = try Listener(path: canary.path + ".sock")
        stranger = try ChildProcess("/bin/sleep", ["100"], environment: Tool.baseEnvironment)
        before = try fixture.listing()
    }

    /// A block device that may be opened here, `MAJOR:MINOR`; a device cgroup may forbid it.
    static let disk: String? = {
        guard let scratch = try? Scratch(), let status = try? File.status("/var/tmp") else { return nil }
        let device = dev_t(status.device)
        guard clinux_major(device) != 0, mknod(scratch("disk"), S_IFBLK | 0o600, device) == 0,
            (try? File.open(scratch("disk"), O_RDONLY)) != nil
        else { return nil }
        return "\(clinux_major(device)):\(clinux_minor(device))"
    }()

    var values: [String] {
        [
            "layer=\(layer)", "canary=\(canary.path)", "stranger=\(stranger.pid)", "registry=\(registry.port)",
            "service=\(service.port)", "local=\(local.path)", "known=\(known)", "disk=\(Misbehaviour.disk ?? "")",
        ]
    }

    /// A registry that nobody asks: what would be the pull is the attack.
    var request: [UInt8] { get throws { try fixture.request("registry.invalid:\(registry.port)/app:1") } }

    struct Outcome: CustomStringConvertible {
        let pull: PullFixture.Outcome
        /// What came of each attack.
        let results: [String: String]
        let order: [String]

        var description: String { pull.description }
    }

    func run(_ mode: String, _ arguments: String..., request: [UInt8]? = nil) throws -> Outcome {
        let output = try Tool.run(
            Misbehaviour.program, [mode] + arguments + values, input: try request ?? self.request, timeout: 60)
        let pull = try PullFixture.outcome(output.stdoutBytes, status: output.status, "\(output)")
        var results: [String: String] = [:]
        var order: [String] = []
        for case .debug(let text) in pull.events {
            guard let colon = text.firstIndex(of: ":") else { continue }
            let name = String(text[..<colon])
            order.append(name)
            results[name] = String(text[colon...].dropFirst(2))
        }
        return Outcome(pull: pull, results: results, order: order)
    }

    /// What the attacks left: nothing is well.
    func damage() throws -> [String] {
        var damage = try fixture.listing().differences(from: before)
        damage += try canary.changes()
        if try stranger.wait(seconds: 0) != nil { damage.append("the stranger is dead") }
        if service.wasAsked { damage.append("the service was connected to") }
        if local.wasAsked { damage.append("the local socket was connected to") }
        return damage
    }
}

/// A server that never answers.
final class Listener: Sendable {
    private let socket: OwnedFD
    let port: UInt16
    let path: String

    init() throws {
        socket = OwnedFD(adopting: try check { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) })
        path = ""
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let raw = socket.raw
        try Listener.bind(raw, &name)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &name) { pointer in
            _ = try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                try check { getsockname(raw, .init(__sockaddr__: name), &size) }
            }
        }
        port = UInt16(bigEndian: name.sin_port)
        try check { listen(raw, 5) }
    }

    init(path: String) throws {
        socket = OwnedFD(adopting: try check { Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) })
        port = 0
        self.path = path
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let raw = socket.raw
        try Listener.bind(raw, &name)
        try check { listen(raw, 5) }
    }

    deinit { if !path.isEmpty { try? File.unlink(path) } }

    private static func bind<Name>(_ socket: Int32, _ name: inout Name) throws {
        let size = socklen_t(MemoryLayout<Name>.size)
        try withUnsafePointer(to: &name) { pointer in
            _ = try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                try check { Glibc.bind(socket, .init(__sockaddr__: UnsafeMutablePointer(mutating: name)), size) }
            }
        }
    }

    var wasAsked: Bool {
        var items = [PollItem(socket.raw, .readable)]
        return ((try? PollItem.wait(&items, milliseconds: 0)) ?? 0) > 0
    }
}
