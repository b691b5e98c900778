package import Images
package import OCI

/// What the keeper answers.
package enum KeeperReply: Sendable, Hashable {
    /// `isComplete`: the image is in the store with all its layers, which are held; there is nothing to claim.
    case opened(isComplete: Bool)
    /// Another process makes the layer.
    case busy
    /// The layer is there, with its files in that directory.
    case present(directory: String)
    case absent
    case committed
    /// The image may be had.
    case verified
    case recorded(Recorded)
    case supervised
    /// The request was refused, or failed.
    case failed(message: String, kind: WorkerEvent.FailureKind)

    package struct Recorded: Sendable, Hashable {
        package var id: Digest
        /// The first name; empty where it has none.
        package var name: String
        /// The name was another image's or nobody's.
        package var isNew: Bool
        /// Names that stay with other images.
        package var kept: [Kept]

        package struct Kept: Sendable, Hashable {
            package var name: String
            package var owner: String
        }
    }

    /// The longest content of a frame.
    static let limit = 4 << 20
    private static let textLimit = 64 << 10

    private enum Verb: UInt8 {
        case opened = 1
        case busy, present, absent, committed, recorded, supervised, failed, verified
    }

    package var frame: [UInt8] {
        switch self {
        case .opened(let isComplete): KeeperReply.frame(.opened) { $0.put(UInt8(isComplete ? 1 : 0)) }
        case .busy: KeeperReply.frame(.busy) { _ in }
        case .present(let directory): KeeperReply.frame(.present) { $0.put(directory) }
        case .absent: KeeperReply.frame(.absent) { _ in }
        case .committed: KeeperReply.frame(.committed) { _ in }
        case .recorded(let recorded):
            KeeperReply.frame(.recorded) { writer in
                writer.put(recorded.id.description)
                writer.put(recorded.name)
                writer.put(UInt8(recorded.isNew ? 1 : 0))
                writer.put(UInt32(clamping: recorded.kept.count))
                for kept in recorded.kept {
                    writer.put(kept.name)
                    writer.put(kept.owner)
                }
            }
        case .supervised: KeeperReply.frame(.supervised) { _ in }
        case .verified: KeeperReply.frame(.verified) { _ in }
        case .failed(let message, let kind):
            KeeperReply.frame(.failed) { writer in
                writer.put(message)
                writer.put(kind.rawValue)
            }
        }
    }

    private static func frame(_ verb: Verb, _ fields: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter(verb: verb.rawValue)
        fields(&writer)
        return writer.frame
    }

    package init(_ content: [UInt8]) throws(WireFault) {
        var reader = WireReader(content)
        let number: UInt8 = try reader.number()
        switch Verb(rawValue: number) {
        case .opened: self = .opened(isComplete: try reader.number(UInt8.self) == 1)
        case .busy: self = .busy
        case .present: self = .present(directory: try reader.text(limit: KeeperReply.textLimit))
        case .absent: self = .absent
        case .committed: self = .committed
        case .recorded: self = .recorded(try KeeperReply.recorded(&reader))
        case .supervised: self = .supervised
        case .verified: self = .verified
        case .failed:
            let message = try reader.text(limit: KeeperReply.textLimit)
            let kind = WorkerEvent.FailureKind(rawValue: try reader.text(limit: 64))
            self = .failed(message: message, kind: kind ?? .store)
        case nil: throw WireFault(description: "verb \(number)")
        }
        try reader.finish()
    }

    private static func recorded(_ reader: inout WireReader) throws(WireFault) -> Recorded {
        guard let id = try? Digest(parsing: try reader.text(limit: 200)) else {
            throw WireFault(description: "a digest that is none")
        }
        let name = try reader.text(limit: KeeperReply.textLimit)
        let isNew = try reader.number(UInt8.self) == 1
        let kept = try reader.list(limit: 10_000) { reader throws(WireFault) in
            Recorded.Kept(name: try reader.text(limit: 1024), owner: try reader.text(limit: 200))
        }
        return Recorded(id: id, name: name, isNew: isNew, kept: kept)
    }
}
