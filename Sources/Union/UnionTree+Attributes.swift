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
}
