internal import Glibc
package import Sys

extension UnionView {
    /// Nil when there is none of the name, or can't be.
    package func attribute(
        _ attribute: PathBytes, of name: PathBytes, in directory: UnionDirectory
    ) throws(Errno) -> [UInt8]? {
        let entry = try require(name, in: directory)
        let top = try top(of: entry, in: directory)
        return try ExtendedAttributes.get(name, at: top.layer.raw, try stored(attribute))
    }

    package func attributes(of name: PathBytes, in directory: UnionDirectory) throws(Errno) -> [PathBytes] {
        let entry = try require(name, in: directory)
        let top = try top(of: entry, in: directory)
        return shown(try ExtendedAttributes.names(name, at: top.layer.raw))
    }

    package func attributes(of directory: UnionDirectory) throws(Errno) -> [PathBytes] {
        guard let top = directory.layers.first else { throw .noEntry }
        return shown(try ExtendedAttributes.names(top.raw))
    }

    package func attribute(_ attribute: PathBytes, of directory: UnionDirectory) throws(Errno) -> [UInt8]? {
        guard let top = directory.layers.first else { throw .noEntry }
        return try ExtendedAttributes.get(top.raw, try stored(attribute))
    }

    /// Marks of the format; those that were escaped belong to whoever made them.
    func isPrivate(_ attribute: PathBytes) -> Bool {
        attribute.hasPrefix(marks.prefix) && !isEscaped(attribute)
    }

    private static let escape = Array("overlay.".utf8)

    private func isEscaped(_ attribute: PathBytes) -> Bool {
        attribute.hasPrefix(marks.prefix)
            && attribute.bytes.dropFirst(marks.prefix.utf8CodeUnitCount).starts(with: UnionView.escape)
    }

    /// How an attribute is kept: one with a mark's name gets another, since Linux 6.7 (overlayfs.rst, "nesting overlayfs
    /// mounts").
    func stored(_ attribute: PathBytes) throws(Errno) -> PathBytes {
        guard attribute.hasPrefix(marks.prefix) else { return attribute }
        let count = marks.prefix.utf8CodeUnitCount
        guard
            let escaped = PathBytes(
                attribute.bytes.prefix(count) + UnionView.escape + attribute.bytes.dropFirst(count))
        else { throw .invalid }
        return escaped
    }

    private func shown(_ attributes: [PathBytes]) -> [PathBytes] {
        let count = marks.prefix.utf8CodeUnitCount
        return attributes.compactMap { attribute in
            if isPrivate(attribute) { return nil }
            if !isEscaped(attribute) { return attribute }
            return PathBytes(
                attribute.bytes.prefix(count) + attribute.bytes.dropFirst(count + UnionView.escape.count))
        }
    }
}
