import Sys

/// What a tree shows, path by path.
struct Snapshot: Equatable {
    private(set) var lines: [String: String] = [:]
    private var firstNames: [UInt64: String] = [:]

    init<S: Side>(_ side: S) throws(Errno) {
        lines["."] = Snapshot.line(try side.rootStatus()) + " \(try side.rootAttributes().map(\.description).sorted())"
        try list(side, side.root, "")
    }

    private mutating func list<S: Side>(_ side: S, _ folder: S.Folder, _ path: String) throws(Errno) {
        for name in try side.names(folder).sorted(by: { $0.description < $1.description }) {
            let shown = path + name.description
            do throws(Errno) {
                lines[shown] = try describe(side, name, folder, shown)
            } catch .noEntry {
                // `KnownDifference.bareWhiteouts`.
                continue
            } catch {
                lines[shown] = error.name
                continue
            }
            if try side.status(name, folder).isDirectory {
                try list(side, try side.folder(name, from: folder), shown + "/")
            }
        }
    }

    private mutating func describe<S: Side>(
        _ side: S, _ name: PathBytes, _ folder: S.Folder, _ path: String
    ) throws(Errno) -> String {
        let status = try side.status(name, folder)
        var line = Snapshot.line(status)
        if status.kind == .regular { line += " \(try side.contents(name, folder))" }
        if status.kind == .link { line += " -> \(try side.readLink(name, folder))" }
        for attribute in try side.attributes(name, folder).sorted(by: { $0.description < $1.description }) {
            line += " \(attribute)=\(try side.attribute(attribute, name, folder) ?? [])"
        }
        if !status.isDirectory, status.links > 1 {
            let first = firstNames[status.inode, default: path]
            firstNames[status.inode] = first
            line += " same as \(first)"
        }
        return line
    }

    /// Times of before the test as they are, and later ones as "now".
    static func line(_ status: FileStatus) -> String {
        var line = "\(status.kind) \(String(status.mode, radix: 8)) \(status.uid):\(status.gid)"
        line += status.modified.seconds > 1_600_000_000 ? " now" : " \(status.modified.seconds)"
        if !status.isDirectory { line += " links \(status.links)" }
        switch status.kind {
        case .regular, .link: line += " size \(status.size)"
        case .characterDevice, .blockDevice: line += " \(status.major):\(status.minor)"
        default: break
        }
        return line
    }

    /// The first paths that differ, and how; empty when none does.
    func differences(from other: Snapshot, _ mine: String, _ theirs: String) -> String {
        Set(lines.keys).union(other.lines.keys).sorted().filter { lines[$0] != other.lines[$0] }.prefix(4).map {
            "  \($0)\n    \(mine): \(lines[$0] ?? "nothing")\n    \(theirs): \(other.lines[$0] ?? "nothing")"
        }.joined(separator: "\n")
    }
}
