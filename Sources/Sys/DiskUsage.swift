internal import Glibc

/// What files take, as du(1) `--apparent-size` counts it.
package enum DiskUsage {
    /// Deeper trees are counted as far as this: each level costs a descriptor.
    private static let maximumDepth = 256

    /// The bytes of all regular files below a directory, a file with several names once. Links are not followed. What
    /// disappears meanwhile is left out.
    package static func ofTree(_ path: String) throws(Errno) -> Int64 {
        let directory = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var seen: Set<UInt64> = []
        return ofTree(directory.raw, depth: 0, &seen)
    }

    private static func ofTree(_ directory: Int32, depth: Int, _ seen: inout Set<UInt64>) -> Int64 {
        var sum: Int64 = 0
        for entry in (try? Directory.entries(directory)) ?? [] {
            guard let status = try? File.status(entry.bytes, at: directory) else { continue }
            if status.isDirectory, depth < maximumDepth {
                let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
                guard let inner = try? File.open(entry.bytes, flags, at: directory) else { continue }
                sum = sum.addingReportingOverflow(ofTree(inner.raw, depth: depth + 1, &seen)).partialValue
            } else if status.isRegular, status.links == 1 || seen.insert(status.inode).inserted {
                sum = sum.addingReportingOverflow(status.size).partialValue
            }
        }
        return sum
    }
}
