internal import Engine
internal import OCI
internal import Sys

/// The rows and the layouts of `image ls-files`.
struct ImageFileTable {
    private let files: [ImageFile]
    /// Diff IDs, the topmost first.
    private let layers: [Digest]
    /// A name may hold what drives a terminal.
    private let isTerminal: Bool

    init(_ files: [ImageFile], _ layers: [Digest], isTerminal: Bool) {
        self.files = files
        self.layers = layers
        self.isTerminal = isTerminal
    }

    var paths: String { files.map { text($0.path) + "\n" }.joined() }

    /// As `tar -tv` shows them.
    var long: String {
        let cells = files.map { file in
            (mode: Self.mode(file.status), owner: "\(file.status.uid)/\(file.status.gid)", size: Self.size(file.status))
        }
        let owners = cells.map(\.owner.utf8.count).max() ?? 0
        let sizes = cells.map(\.size.utf8.count).max() ?? 0
        return zip(files, cells).map { file, cell in
            let blanks = String(repeating: " ", count: owners + sizes - cell.owner.utf8.count - cell.size.utf8.count)
            let time = Human.minute(file.status.modified.seconds)
            let target = file.target.map { " -> \(text($0))" } ?? ""
            return "\(cell.mode) \(cell.owner)\(blanks) \(cell.size) \(time) \(text(file.path))\(target)\n"
        }.joined()
    }

    static let standard = "{{.Type}}\t{{.Mode}}\t{{.User}}\t{{.Group}}\t{{.Size}}\t{{.Modified}}\t{{.Path}}"

    private static let names = [
        "Device", "Group", "Layer", "Mode", "Modified", "Name", "Path", "Size", "Target", "Type", "User",
    ]

    static let header = TemplateValue.record(names.map { TemplateValue.Field($0, .string($0.uppercased())) })

    var rows: [TemplateValue] { files.map(row) }

    private func row(_ file: ImageFile) -> TemplateValue {
        let status = file.status
        let mode = String(status.mode, radix: 8)
        let isDevice = [.characterDevice, .blockDevice].contains(status.kind)
        let layer = layers.indices.contains(file.layersAbove) ? "\(layers[file.layersAbove])" : ""
        let time = Clock.rfc3339(seconds: status.modified.seconds, nanoseconds: status.modified.nanoseconds)
        let name = PathBytes(file.path.bytes.split(separator: UInt8(ascii: "/")).last ?? []).map(text) ?? ""
        let values: [TemplateValue] = [
            .string(isDevice ? "\(status.major):\(status.minor)" : ""), .int(Int64(status.gid)), .string(layer),
            .string(String(repeating: "0", count: max(0, 4 - mode.utf8.count)) + mode), .string(time), .string(name),
            .string(text(file.path)), .int(status.isRegular ? status.size : 0), .string(file.target.map(text) ?? ""),
            .string(Self.type(status.kind)), .int(Int64(status.uid)),
        ]
        return .row(zip(Self.names, values).map { TemplateValue.Field($0, $1) })
    }

    private func text(_ name: PathBytes) -> String {
        isTerminal ? name.description : String(decoding: name.bytes, as: UTF8.self)
    }

    private static func size(_ status: FileStatus) -> String {
        switch status.kind {
        case .characterDevice, .blockDevice: "\(status.major),\(status.minor)"
        case .regular: "\(status.size)"
        default: "0"
        }
    }

    private static func type(_ kind: FileStatus.Kind) -> String {
        switch kind {
        case .regular: "file"
        case .directory: "directory"
        case .link: "link"
        case .fifo: "fifo"
        case .socket: "socket"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        }
    }

    /// `drwxr-sr-t`, as ls shows it.
    private static func mode(_ status: FileStatus) -> String {
        let kind =
            switch status.kind {
            case .regular: "-"
            case .directory: "d"
            case .link: "l"
            case .fifo: "p"
            case .socket: "s"
            case .characterDevice: "c"
            case .blockDevice: "b"
            }
        func triple(_ shift: UInt32, _ special: UInt32, _ letter: String) -> String {
            let bits = status.mode >> shift
            let isSpecial = status.mode & special != 0
            let last = bits & 1 != 0 ? (isSpecial ? letter : "x") : (isSpecial ? letter.uppercased() : "-")
            return (bits & 4 != 0 ? "r" : "-") + (bits & 2 != 0 ? "w" : "-") + last
        }
        return kind + triple(6, 0o4000, "s") + triple(3, 0o2000, "s") + triple(0, 0o1000, "t")
    }
}
