internal import Glibc
package import Sys

extension UnionView {
    /// The names in a directory, each once, in no order; whiteouts and what they hide are left out (readdir(3)).
    package func names(in directory: UnionDirectory) throws(Errno) -> [PathBytes] {
        if directory.isRemoved { throw .noEntry }
        var seen: Set<PathBytes> = []
        var result: [PathBytes] = []
        for layer in directory.layers {
            let hasMarkedFiles = try marks.hasMarkedFiles(layer.raw)
            for entry in try Directory.entries(layer.raw) where seen.insert(entry.bytes).inserted {
                if try !isWhiteout(entry, in: layer, hasMarkedFiles: hasMarkedFiles) { result.append(entry.bytes) }
            }
        }
        return result
    }

    /// Only what can be one is looked at more closely.
    private func isWhiteout(
        _ entry: Directory.Entry, in layer: UnionDirectory.OpenDirectory, hasMarkedFiles: Bool
    ) throws(Errno) -> Bool {
        switch Int(entry.type) {
        case Int(DT_CHR), Int(DT_UNKNOWN): break
        case Int(DT_REG): if !hasMarkedFiles { return false }
        default: return false
        }
        return try isWhiteout(entry.bytes, try File.status(entry.bytes, at: layer.raw), in: layer)
    }

    /// Whether nothing shows in the directory `name`, which is one.
    func checkEmpty(_ name: PathBytes, in parent: UnionDirectory) throws(Errno) {
        let directory = try directory(name, in: parent)
        if try !names(in: directory).isEmpty { throw .notEmpty }
    }

    package func readLink(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> PathBytes {
        let entry = try require(name, in: directory)
        let top = try top(of: entry, in: directory)
        if top.status.kind != .link { throw .invalid }
        return try File.readLink(name, at: top.layer.raw)
    }
}
