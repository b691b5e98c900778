internal import Glibc
internal import Sys

/// Owner, mode, times and ACLs of directories, set when all entries are there: every entry made in a directory changes
/// its times, and a default ACL or set-group-id bit would be inherited by them.
struct DeferredDirectories {
    struct Attributes {
        var user: uid_t
        var group: gid_t
        var mode: mode_t
        var modified: FileTime
        /// Only ACLs; other attributes are set at once.
        var acls: [TarEntry.Attribute] = []
    }

    private struct Record {
        var path: PathBytes
        var attributes: Attributes
    }

    private var records: [Record] = []
    private var size = 0

    /// The last record of a path counts.
    mutating func set(_ path: PathBytes, _ attributes: Attributes, limits: ExtractionLimits) throws(LayerError) {
        size += MemoryLayout<Record>.size + path.count + attributes.acls.reduce(0) { $0 + $1.value.count }
        if size > limits.directoryListSize {
            throw .limit(.directoryListSize, entry: path.description, allowed: UInt64(limits.directoryListSize))
        }
        records.append(Record(path: path, attributes: attributes))
    }

    /// Sets all. A directory that a later entry replaced is passed over.
    func apply(at root: Int32) throws(LayerError) {
        for record in records {
            do throws(Errno) {
                try apply(record, at: root)
            } catch {
                throw .system(operation: "set attributes of directory", entry: "/\(record.path)", error)
            }
        }
    }

    private func apply(_ record: Record, at root: Int32) throws(Errno) {
        let directory: OwnedFD
        do throws(Errno) {
            directory = try File.open(
                record.path.isEmpty ? PathBytes(".") : record.path, O_RDONLY | O_DIRECTORY, at: root,
                resolve: [.beneath, .noSymlinks])
        } catch {
            if [.noEntry, .notDirectory, .loop].contains(error) { return }
            throw error
        }
        let wanted = record.attributes
        try File.setOwner(directory.raw, user: wanted.user, group: wanted.group)
        try File.setMode(directory.raw, wanted.mode)
        for acl in wanted.acls {
            guard let name = PathBytes(acl.name) else { continue }
            try ExtendedAttributes.set(directory.raw, name, acl.value)
        }
        try File.setTimes(directory.raw, modified: wanted.modified)
        try directory.close()
    }
}
