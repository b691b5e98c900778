import Sys

/// What a tree shows, path by path.
struct Snapshot: Equatable {
    private(set) var lines: [String: String] = [:]
    private var names: [UInt64: [String]] = [:]

    init<S: Side>(_ side: S) throws(Errno) {
        lines["."] = Snapshot.line(try side.rootStatus()) + " \(try side.rootAttributes().map(\.description).sorted())"
        try list(side, side.root, "")
        for group in names.values where group.count > 1 {
            for path in group { lines[path, default: ""] += " same as \(group[0])" }
        }
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
            names[status.inode, default: []].append(path)
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

    /// The first paths that differ, and how; empty when none does. Without `links` the counts of names are not compared:
    /// a layer's file keeps its own when one of them is hidden.
    func differences(from other: Snapshot, _ mine: String, _ theirs: String, withLinks links: Bool = true) -> String {
        func line(_ snapshot: Snapshot, _ path: String) -> String? {
            guard let line = snapshot.lines[path], !links else { return snapshot.lines[path] }
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "links") else { return line }
            return (words[..<position] + words[(position + 2)...]).joined(separator: " ")
        }
        return Set(lines.keys).union(other.lines.keys).sorted().filter { line(self, $0) != line(other, $0) }.prefix(4)
            .map {
                "  \($0)\n    \(mine): \(lines[$0] ?? "nothing")\n    \(theirs): \(other.lines[$0] ?? "nothing")"
            }.joined(separator: "\n")
    }
}
