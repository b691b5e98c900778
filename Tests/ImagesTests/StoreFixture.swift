import CLinux
import Glibc
import Images
import OCI
import Sys

/// A store in a directory of its own, removed in the end.
final class StoreFixture: Sendable {
    let root: String
    let store: ImageStore

    init() throws {
        var template = Array("/tmp/runimg-images-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno.current }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        store = ImageStore(dataRoot: root + "/data", marks: .trusted)
    }

    deinit { try? Directory.removeTree(root) }

    /// A layer diff ID that stands for `content`.
    static func diffID(_ content: String) -> Digest { Digest.of(content.utf8) }

    /// Stages and commits what is missing of the layers, each with one file that holds its content.
    func addLayers(_ contents: [String]) throws -> [HeldLayer] {
        let diffIDs = contents.map(StoreFixture.diffID)
        var held: [HeldLayer] = []
        for (index, chainID) in Digest.chain(of: diffIDs).enumerated() {
            guard let state = try store.claim(chainID) else { throw Errno.busy }
            switch state {
            case .present(let layer): held.append(layer)
            case .absent(let claim):
                let staged = try store.stage(claim, diffID: diffIDs[index])
                let file = try File.open("file", O_WRONLY | O_CREAT, mode: 0o644, at: staged.diff.raw)
                try File.write(file.raw, contents[index])
                held.append(
                    try store.commit(staged, above: held.map(\.directory), size: Int64(contents[index].utf8.count)))
            }
        }
        return held
    }

    /// The config of an image of these layers; `salt` makes it another image.
    static func config(_ contents: [String], salt: String = "", created: String = "2024-01-01T00:00:00Z") -> [UInt8] {
        let diffIDs = contents.map { "\"\(diffID($0))\"" }.joined(separator: ",")
        return Array(
            #"{"created":"\#(created)","author":"\#(salt)","architecture":"amd64","os":"linux","#.utf8)
            + Array(#""config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[\#(diffIDs)]}}"#.utf8)
    }

    /// Adds a whole image and returns its ID.
    @discardableResult
    func add(
        _ contents: [String], as names: [String], salt: String = "", created: String = "2024-01-01T00:00:00Z",
        manifest: String? = nil
    ) throws -> Digest {
        var image = NewImage(config: StoreFixture.config(contents, salt: salt, created: created))
        image.layers = try addLayers(contents)
        image.names = try names.map { try Reference(parsing: $0) }
        if let manifest { image.documents = [(Digest.of(manifest.utf8), Array(manifest.utf8))] }
        try store.record(image)
        return image.id
    }

    func path(_ relative: String) -> String { "\(store.layout.root)/\(relative)" }

    func text(_ relative: String) throws -> String {
        String(decoding: try File.readAll(path(relative)), as: UTF8.self)
    }

    /// The lines of one removal.
    func remove(_ name: String, force: Bool = false, uses: ImageUses = ImageUses()) throws -> [String] {
        var lines: [String] = []
        try store.remove(name, force: force, uses: { uses }, report: { lines.append($0.description) })
        return lines
    }

    /// Every entry below the data root but the locks: type, mode, size and, for links, target; sorted.
    func listing() throws -> [String] {
        var lines: [String] = []
        func walk(_ relative: String) throws {
            for entry in try Directory.entries(path(relative)).sorted(by: { $0.name < $1.name }) {
                let child = relative.isEmpty ? entry.name : "\(relative)/\(entry.name)"
                let status = try File.status(path(child))
                let kind = status.kind
                let size = kind == .regular ? status.size : 0
                lines.append("\(child) \(kind) \(String(status.mode, radix: 8)) \(size)")
                if kind == .directory, child != "locks" { try walk(child) }
            }
        }
        try walk("")
        return lines
    }
}
