internal import Glibc
internal import ImageWorker
internal import Images
internal import OCI
internal import Sys

/// What code that was taken over would say to the keeper. The one who started us hears the answers as debug events.
struct KeeperAttacks {
    let targets: Targets
    private let line: KeeperLine
    private var area: String { targets.seat.area }

    init(_ targets: Targets) {
        self.targets = targets
        line = KeeperLine(targets.seat.socket)
    }

    func run(_ name: String) throws {
        switch name {
        case "garbage": try line.send((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 250) })
        case "a frame without end": try line.send([0xff, 0xff, 0xff, 0x7f] + [UInt8](repeating: 1, count: 100))
        case "an empty frame": try line.send([0, 0, 0, 0])
        case "an unknown verb": try line.send([1, 0, 0, 0, 200])
        case "a frame that ends early": try line.send([3, 0, 0, 0, 3, 1, 2])
        case "a field that is longer than its frame": try line.send([5, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff])
        case "supervision once more": try line.tell(.supervise)
        case "an endpoint that is not asked": try line.tell(.endpointIll("other.example:5000", reason: "it was dead"))
        case "an end before anything was stored": try line.tell(.finished)
        case "questions whose answers nobody reads":
            for _ in 0..<2_000_000 { try line.tell(.claim(place: 0)) }
        case "death": kill(getpid(), SIGKILL)
        default: try converse(name)
        }
        // The keeper ends us, or hears that we are done.
        if name != "a conversation" { usleep(300_000) }
    }

    private func say(_ what: String, _ request: KeeperRequest) throws {
        let reply = try line.ask(request)
        if case .failed(let message, _) = reply {
            line.report("\(what): \(message)")
        } else {
            line.report("\(what): taken")
        }
    }

    /// Each is refused, and none of them spoils the next.
    private func converse(_ name: String) throws {
        let layers = ["one", "two"].map { Digest.of("\($0) \(name)".utf8) }
        let config = KeeperAttacks.config(layers)
        try say("claim before an image", .claim(place: 0))
        try say("a config that is none", .open(config: Array("{}".utf8)))
        try say(
            "a config of 501 layers", .open(config: KeeperAttacks.config([Digest](repeating: layers[0], count: 501))))
        try say("open", .open(config: config))
        try say("claim from above", .claim(place: 1))
        try say("claim of a layer that there is not", .claim(place: 2))
        try say("claim of the last number", .claim(place: .max))
        try say("commit before the claim", .commit(place: 0, number: 0, size: 1))
        try say("claim", .claim(place: 0))
        try say("claim once more", .claim(place: 0))
        try say("record without layers", .record(documents: [], names: []))
        try say("commit of a tree that there is not", .commit(place: 0, number: 77, size: 1))
        try File.symlink(targets["layer"], "\(area)/\(PullArea.layerName(1))")
        try say("commit of a link to another's layer", .commit(place: 0, number: 1, size: 1))
        let file = try File.open("\(area)/\(PullArea.layerName(2))", O_WRONLY | O_CREAT, mode: 0o644)
        try file.close()
        try say("commit of a file", .commit(place: 0, number: 2, size: 1))
        try say("commit of a negative size", .commit(place: 0, number: 3, size: -1))
        try Directory.make("\(area)/\(PullArea.layerName(3))", mode: 0o755)
        try say("commit", .commit(place: 0, number: 3, size: 1))
        try say("the same commit again", .commit(place: 0, number: 3, size: 1))
        try say("claim above", .claim(place: 1))
        try Directory.make("\(area)/\(PullArea.layerName(4))", mode: 0o755)
        try say("commit above", .commit(place: 1, number: 4, size: 1))
        try record(config)
        try overwrite()
    }

    /// Documents and names of the image that is complete by now.
    private func record(_ config: [UInt8]) throws {
        let manifest = KeeperAttacks.manifest(of: config)
        let digest = Digest.of(manifest)
        let name = "registry.invalid:\(targets["registry"])/app"
        let good = KeeperRequest.Document(digest: digest, bytes: manifest)
        let lying = KeeperRequest.Document(digest: Digest.of("x".utf8), bytes: manifest)
        let other = KeeperAttacks.manifest(of: Array("another config".utf8))
        let foreign = KeeperRequest.Document(digest: Digest.of(other), bytes: other)
        let index = Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8)
        let empty = KeeperRequest.Document(digest: Digest.of(index), bytes: index)
        func say(_ what: String, _ documents: [KeeperRequest.Document], _ names: [String]) throws {
            try self.say(what, .record(documents: documents, names: names))
        }
        try say("a manifest of another digest", [lying], ["\(name):1"])
        try say("a manifest of another config", [foreign], ["\(name):1"])
        try say("an index without the manifest", [good, empty], ["\(name):1"])
        try say("a manifest that is no JSON", [.init(digest: Digest.of("{".utf8), bytes: Array("{".utf8))], [])
        try say("another's name", [good], ["docker.io/library/other:1"])
        try say("another tag", [good], ["\(name):2"])
        try say("another repository", [good], ["\(name)/../other:1"])
        try say("a name that leads out", [good], ["../../etc/passwd"])
        try say("a digest that was not received", [good], ["\(name)@\(Digest.of("y".utf8))"])
        try line.tell(.event(.done(image: Digest.of("z".utf8), name: "docker.io/library/other:1")))
        try line.tell(.event(.failed(message: "all is well", kind: .network)))
        try line.tell(.event(.warning("\u{1b}[2J\u{1b}]0;evil\u{07}")))
        try say("record", [good], ["\(name):1", "\(name)@\(digest)"])
    }

    /// A layer that is there already, under its own chain ID.
    private func overwrite() throws {
        guard let known = try? Digest(parsing: targets["known"]) else { return }
        try say("open of another's layers", .open(config: KeeperAttacks.config([known])))
        try say("claim of another's layer", .claim(place: 0))
        try Directory.make("\(area)/\(PullArea.layerName(9))", mode: 0o755)
        try say("commit over another's layer", .commit(place: 0, number: 9, size: 1))
    }

    private static func config(_ diffIDs: [Digest]) -> [UInt8] {
        let list = diffIDs.map { "\"\($0)\"" }.joined(separator: ",")
        return Array(
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(list)]}}"#.utf8)
    }

    private static func manifest(of config: [UInt8]) -> [UInt8] {
        let digest = Digest.of(config)
        return Array(
            #"{"schemaVersion":2,"config":{"digest":"\#(digest)","size":\#(config.count)},"layers":[]}"#.utf8)
    }
}
