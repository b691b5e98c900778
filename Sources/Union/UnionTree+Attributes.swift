internal import Glibc
package import Sys

extension UnionTree {
    /// EOPNOTSUPP for a link, which has no mode of its own.
    package func setMode(_ name: PathBytes, in directory: UnionDirectory, _ mode: UInt32) throws(Errno) {
        let entry = try require(name, in: directory)
        if try top(of: entry, in: directory).status.kind == .link { throw .notSupported }
        try File.setMode(name, at: try changed(name, entry, in: directory), mode)
    }

    /// `UInt32.max` keeps a user or group as it is.
    package func setOwner(
        _ name: PathBytes, in directory: UnionDirectory, user: UInt32, group: UInt32
    ) throws(Errno) {
        let entry = try require(name, in: directory)
        try File.setOwner(name, at: try changed(name, entry, in: directory), user: user, group: group)
    }

    package func setTimes(
        _ name: PathBytes, in directory: UnionDirectory, accessed: TimeChange, modified: TimeChange
    ) throws(Errno) {
        // Where there is nothing to do the kernel does not even look at the name.
        if accessed == .kept, modified == .kept { return }
        let entry = try require(name, in: directory)
        try File.setTimes(
            name, at: try changed(name, entry, in: directory), accessed: accessed, modified: modified)
    }

    package func truncate(_ name: PathBytes, in directory: UnionDirectory, to size: Int64) throws(Errno) {
        if size < 0 { throw .invalid }
        let entry = try require(name, in: directory)
        let status = try top(of: entry, in: directory).status
        if status.isDirectory { throw .isDirectory }
        if !status.isRegular { throw .invalid }
        try copyUp(name, entry, in: directory, contents: size > 0)
        let file = try File.open(name, O_WRONLY | O_NOCTTY, at: try upper(of: directory).raw)
        try File.truncate(file.raw, to: size)
        try file.close()
    }

    /// The upper layer's directory with `name` in it.
    private func changed(_ name: PathBytes, _ entry: Entry, in directory: UnionDirectory) throws(Errno) -> Int32 {
        try copyUp(name, entry, in: directory)
        return try upper(of: directory).raw
    }

    // MARK: Extended attributes

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

    package func setAttribute(
        _ attribute: PathBytes, of name: PathBytes, in directory: UnionDirectory, _ value: [UInt8],
        _ condition: ExtendedAttributes.Condition = .none
    ) throws(Errno) {
        let entry = try require(name, in: directory)
        let kind = try top(of: entry, in: directory).status.kind
        try checkAttribute(attribute, on: kind)
        if attribute == UnionTree.defaultACL, kind != .directory, kind != .link { throw .accessDenied }
        let place = try changed(name, entry, in: directory)
        try ExtendedAttributes.set(name, at: place, try stored(attribute), value, condition)
    }

    package func removeAttribute(
        _ attribute: PathBytes, of name: PathBytes, in directory: UnionDirectory
    ) throws(Errno) {
        let entry = try require(name, in: directory)
        let top = try top(of: entry, in: directory)
        try checkAttribute(attribute, on: top.status.kind)
        let real = try stored(attribute)
        if attribute == UnionTree.defaultACL, top.status.kind != .directory, top.status.kind != .link { return }
        if entry.upper == nil { _ = try ExtendedAttributes.size(name, at: top.layer.raw, real) }
        try ExtendedAttributes.remove(name, at: try changed(name, entry, in: directory), real)
    }

    /// Only directories have one; nothing else loses one either (acl(5)).
    private static let defaultACL = PathBytes("system.posix_acl_default")

    /// What would be refused must not copy a file up first: its other names would see (xattr(7)).
    private func checkAttribute(_ attribute: PathBytes, on kind: FileStatus.Kind) throws(Errno) {
        if attribute.hasPrefix("user."), kind != .regular, kind != .directory { throw .notPermitted }
        if attribute.hasPrefix("system.posix_acl_"), kind == .link { throw .notSupported }
    }

    /// Marks of the format; those that were escaped belong to whoever made them.
    func isPrivate(_ attribute: PathBytes) -> Bool {
        attribute.hasPrefix(marks.prefix) && !isEscaped(attribute)
    }

    private static let escape = Array("overlay.".utf8)

    private func isEscaped(_ attribute: PathBytes) -> Bool {
        attribute.hasPrefix(marks.prefix)
            && attribute.bytes.dropFirst(marks.prefix.utf8CodeUnitCount).starts(with: UnionTree.escape)
    }

    /// How an attribute is kept: one with a mark's name gets another, since Linux 6.7 (overlayfs.rst, "nesting overlayfs
    /// mounts").
    func stored(_ attribute: PathBytes) throws(Errno) -> PathBytes {
        guard attribute.hasPrefix(marks.prefix) else { return attribute }
        let count = marks.prefix.utf8CodeUnitCount
        guard
            let escaped = PathBytes(
                attribute.bytes.prefix(count) + UnionTree.escape + attribute.bytes.dropFirst(count))
        else { throw .invalid }
        return escaped
    }

    private func shown(_ attributes: [PathBytes]) -> [PathBytes] {
        let count = marks.prefix.utf8CodeUnitCount
        return attributes.compactMap { attribute in
            if isPrivate(attribute) { return nil }
            if !isEscaped(attribute) { return attribute }
            return PathBytes(
                attribute.bytes.prefix(count) + attribute.bytes.dropFirst(count + UnionTree.escape.count))
        }
    }
}
