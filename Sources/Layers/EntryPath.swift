internal import Sys

/// A name of a tar, made a path below the layer's root by its text alone, as Go's filepath.Clean does: `/` at the
/// start is the root, `a/../b` is `b`.
struct EntryPath: Equatable {
    /// Empty for the root.
    let parent: PathBytes
    /// Empty when the path is the root itself.
    let base: PathBytes

    var isRoot: Bool { base.isEmpty }
    var whole: PathBytes { EntryPath.join(parent, base) }

    /// Refuses what leaves the root or exceeds a limit.
    init(_ name: [UInt8], limits: ExtractionLimits) throws(LayerError) {
        var parts: [ArraySlice<UInt8>] = []
        for part in name.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                guard parts.popLast() != nil else {
                    throw .refused(entry: PathBytes.printable(name), reason: "the name leaves the layer")
                }
                continue
            }
            parts.append(part)
        }
        let length = parts.reduce(0) { $0 + $1.count + 1 } - 1
        try EntryPath.check(length: length, depth: parts.count, name, limits)
        let last = parts.popLast() ?? []
        guard let parent = PathBytes(Array(parts.joined(separator: [UInt8(ascii: "/")]))), let base = PathBytes(last)
        else { throw .refused(entry: PathBytes.printable(name), reason: "the name has a NUL") }
        self.parent = parent
        self.base = base
    }

    static func check(
        length: Int, depth: Int, _ name: some Collection<UInt8>, _ limits: ExtractionLimits
    ) throws(LayerError) {
        if length > limits.pathLength {
            throw .limit(.pathLength, entry: PathBytes.printable(name), allowed: UInt64(limits.pathLength))
        }
        if depth > limits.pathDepth {
            throw .limit(.pathDepth, entry: PathBytes.printable(name), allowed: UInt64(limits.pathDepth))
        }
    }

    static func join(_ parent: PathBytes, _ base: PathBytes) -> PathBytes {
        if parent.isEmpty { return base }
        if base.isEmpty { return parent }
        guard let whole = PathBytes(parent.bytes + [UInt8(ascii: "/")] + base.bytes) else {
            preconditionFailure("neither part has a NUL")
        }
        return whole
    }

    /// The components of a path or of a link's target, without empty ones and `.`.
    static func components(_ path: PathBytes) -> [PathBytes] {
        path.bytes.split(separator: UInt8(ascii: "/")).compactMap { part in
            part.elementsEqual(".".utf8) ? nil : PathBytes(part)
        }
    }

    /// The parent of a clean path; the root's is the root.
    static func parent(of path: PathBytes) -> PathBytes {
        guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), let parent = PathBytes(path.bytes[..<slash])
        else { return PathBytes("") }
        return parent
    }

    /// The last component of a clean path.
    static func base(of path: PathBytes) -> PathBytes {
        guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), let base = PathBytes(path.bytes[(slash + 1)...])
        else { return path }
        return base
    }

    static func depth(of path: PathBytes) -> Int {
        path.isEmpty ? 0 : path.bytes.reduce(1) { $0 + ($1 == UInt8(ascii: "/") ? 1 : 0) }
    }
}
