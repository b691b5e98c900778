internal import Glibc
package import Sys

/// Holds a layer's files against those that its blob makes: names, kinds, modes, owners, sizes, times, attributes, links
/// and contents.
package struct TreeComparison {
    /// `path: what is wrong`, in the order of the names.
    package private(set) var differences: [String] = []
    /// All of them, those beyond `limit` included.
    package private(set) var count = 0

    /// More would be a list for nobody.
    package static let limit = 20

    private let buffers = (RawBuffer(count: 256 << 10), RawBuffer(count: 256 << 10))
    /// Files with several names: the same names in both trees.
    private var links: [UInt64: UInt64] = [:]

    /// When the expected files began to be made: what has a later time has it from that, not from the layer.
    private let began: FileTime

    private init(_ began: FileTime) { self.began = began }

    /// Both are open directories, borrowed.
    package static func compare(
        _ found: Int32, with expected: Int32, madeSince began: FileTime
    ) throws(LayerError) -> TreeComparison {
        var comparison = TreeComparison(began)
        try comparison.directories(found, expected, "")
        return comparison
    }

    private mutating func note(_ path: String, _ fault: String) {
        count += 1
        if differences.count < TreeComparison.limit { differences.append("\(path): \(fault)") }
    }

    private mutating func directories(_ found: Int32, _ expected: Int32, _ path: String) throws(LayerError) {
        let names = try (entries(found, path), entries(expected, path))
        for name in names.0.union(names.1).sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
            let child = path.isEmpty ? "\(name)" : "\(path)/\(name)"
            if !names.1.contains(name) {
                note(child, "is not in the image")
            } else if !names.0.contains(name) {
                note(child, "is missing")
            } else {
                try files(name, found, expected, child)
            }
        }
    }

    private func entries(_ directory: Int32, _ path: String) throws(LayerError) -> Set<PathBytes> {
        try on("list", path) { () throws(Errno) in Set(try Directory.entries(directory).map(\.bytes)) }
    }

    private mutating func files(
        _ name: PathBytes, _ found: Int32, _ expected: Int32, _ path: String
    ) throws(LayerError) {
        let (actual, wanted) = try on("stat", path) { () throws(Errno) in
            (try File.status(name, at: found), try File.status(name, at: expected))
        }
        guard actual.kind == wanted.kind, (actual.major, actual.minor) == (wanted.major, wanted.minor) else {
            return note(path, "is of another kind")
        }
        if actual.mode != wanted.mode { note(path, "has another mode") }
        if (actual.uid, actual.gid) != (wanted.uid, wanted.gid) { note(path, "has another owner") }
        if actual.kind != .link, actual.modified != wanted.modified, wanted.modified < began {
            note(path, "has another time")
        }
        if try attributes(name, found, path) != attributes(name, expected, path) { note(path, "has other attributes") }
        switch wanted.kind {
        case .directory:
            let (first, second) = try opened(name, found, expected, path, O_RDONLY | O_DIRECTORY)
            defer { withExtendedLifetime((first, second)) {} }
            try directories(first.descriptor.raw, second.descriptor.raw, path)
        case .regular:
            if actual.size != wanted.size {
                note(path, "has \(actual.size) bytes, not \(wanted.size)")
            } else if try !isKnown(actual, wanted, path), try !haveSameContents(name, found, expected, path) {
                note(path, "has other contents")
            }
        case .link:
            let targets = try on("read link", path) { () throws(Errno) in
                (try File.readLink(name, at: found), try File.readLink(name, at: expected))
            }
            if targets.0 != targets.1 { note(path, "leads elsewhere") }
        default: break
        }
    }

    /// Whether a file with several names was looked at by another of them.
    private mutating func isKnown(_ actual: FileStatus, _ wanted: FileStatus, _ path: String) throws(LayerError) -> Bool
    {
        guard wanted.links > 1 || actual.links > 1 else { return false }
        if actual.links != wanted.links { note(path, "has \(actual.links) names, not \(wanted.links)") }
        if let known = links[wanted.inode] {
            if known != actual.inode { note(path, "is not the file that it should be linked to") }
            return known == actual.inode
        }
        links[wanted.inode] = actual.inode
        return false
    }

    private func haveSameContents(
        _ name: PathBytes, _ found: Int32, _ expected: Int32, _ path: String
    ) throws(LayerError) -> Bool {
        let (first, second) = try opened(name, found, expected, path, O_RDONLY | O_NONBLOCK)
        defer { withExtendedLifetime((first, second)) {} }
        var position: Int64 = 0
        while true {
            let counts = try on("read", path) { [position] () throws(Errno) in
                (
                    try File.read(first.descriptor.raw, into: buffers.0.bytes, at: position),
                    try File.read(second.descriptor.raw, into: buffers.1.bytes, at: position)
                )
            }
            let count = min(counts.0, counts.1)
            if count == 0 { return counts.0 == counts.1 }
            guard let left = buffers.0.bytes.baseAddress, let right = buffers.1.bytes.baseAddress,
                memcmp(left, right, count) == 0
            else { return false }
            position += Int64(count)
        }
    }

    private func attributes(
        _ name: PathBytes, _ directory: Int32, _ path: String
    ) throws(LayerError) -> [PathBytes: [UInt8]] {
        try on("read the attributes of", path) { () throws(Errno) in
            var result: [PathBytes: [UInt8]] = [:]
            for attribute in try ExtendedAttributes.names(name, at: directory) {
                result[attribute] = try ExtendedAttributes.get(name, at: directory, attribute)
            }
            return result
        }
    }

    /// A box, since tuples do not hold noncopyable values.
    private final class Opened {
        let descriptor: OwnedFD

        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }

    private func opened(
        _ name: PathBytes, _ found: Int32, _ expected: Int32, _ path: String, _ flags: Int32
    ) throws(LayerError) -> (Opened, Opened) {
        try on("open", path) { () throws(Errno) in
            (Opened(try File.open(name, flags, at: found)), Opened(try File.open(name, flags, at: expected)))
        }
    }

    private func on<T>(_ operation: String, _ path: String, _ body: () throws(Errno) -> T) throws(LayerError) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(operation: operation, entry: path.isEmpty ? "the layer" : path, error)
        }
    }
}
